// SPDX-License-Identifier: Apache-2.0
//
// Stands between a TCP socket and Node's TLS, and reads the certificate that a
// client of TLS 1.2 shows in the clear.  Node completes the handshake before
// it judges and says nothing then; OpenSSL, and so a DXL broker, sends an alert
// that tells the client what is wrong.
'use strict'

const { X509Certificate } = require('crypto')
const { Duplex } = require('stream')

const CHANGE_CIPHER_SPEC = 20
const HANDSHAKE = 22
const CERTIFICATE = 11
const INTERNAL_ERROR = 80
const EXPIRED = 45
const UNKNOWN_CA = 48

function issued (certificate, issuer) {
	return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

// Does the chain end at one of the CAs?
function trusted (chain, authorities) {
	for (let i = 0, one = chain[0]; one && i <= chain.length; i++) {
		if (authorities.some(authority => issued(one, authority))) return true
		one = chain.find(other => other !== one && issued(one, other))
	}
	return false
}

// judge CHAIN AUTHORITIES REVOKED: the alert that it gets, or 0
function judge (chain, authorities, revoked) {
	if (chain.length === 0) return 0 // OpenSSL says it
	if (!trusted(chain, authorities)) return UNKNOWN_CA
	if (new Date(chain[0].validTo) < new Date()) return EXPIRED
	const thumbprint = chain[0].fingerprint.replace(/:/g, '').toLowerCase()
	return revoked.has(thumbprint) ? INTERNAL_ERROR : 0
}

// The certificates in the body of a Certificate message.
function certificates (body) {
	const chain = []
	for (let at = 3; at + 3 <= body.length;) {
		const length = body.readUIntBE(at, 3)
		chain.push(new X509Certificate(body.subarray(at + 3, at + 3 + length)))
		at += 3 + length
	}
	return chain
}

class Doorman extends Duplex {
	// decide (chain): the alert for it, or 0
	constructor (socket, decide) {
		super()
		this.socket = socket
		this.decide = decide
		this.records = Buffer.alloc(0)
		this.messages = Buffer.alloc(0)
		this.watching = true
		socket.on('data', chunk => {
			if (this.watching && !this.admits(chunk)) return
			if (!this.push(chunk)) socket.pause()
		})
		socket.on('end', () => this.push(null))
		socket.on('error', () => {})
		socket.on('close', () => this.destroy())
	}

	// Looks at what comes until the client encrypts.
	admits (chunk) {
		this.records = Buffer.concat([this.records, chunk])
		while (this.records.length >= 5) {
			const end = 5 + this.records.readUInt16BE(3)
			if (this.records.length < end) break
			if (this.records[0] === CHANGE_CIPHER_SPEC) this.watching = false
			if (this.records[0] !== HANDSHAKE || !this.watching) break
			this.messages = Buffer.concat(
				[this.messages, this.records.subarray(5, end)])
			this.records = this.records.subarray(end)
		}
		return this.read_()
	}

	read_ () {
		while (this.messages.length >= 4) {
			const end = 4 + this.messages.readUIntBE(1, 3)
			if (this.messages.length < end) break
			const body = this.messages.subarray(4, end)
			const alert = this.messages[0] === CERTIFICATE ? this.alert(body) : 0
			this.messages = this.messages.subarray(end)
			if (alert !== 0) {
				this.socket.end(Buffer.from([21, 3, 3, 0, 2, 2, alert]))
				this.watching = false
				return false
			}
		}
		return true
	}

	alert (body) {
		try {
			return this.decide(certificates(body))
		} catch (error) {
			return 0 // whatever it is, OpenSSL has its own word for it
		}
	}

	_read () {
		this.socket.resume()
	}

	_write (chunk, encoding, done) {
		this.socket.write(chunk, encoding, done)
	}

	_writev (chunks, done) {
		this.socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done)
	}

	_final (done) {
		this.socket.end()
		done()
	}

	_destroy (error, done) {
		this.socket.destroy()
		done(error)
	}
}

module.exports = { Doorman, judge }
