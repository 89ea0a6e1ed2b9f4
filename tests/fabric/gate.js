// SPDX-License-Identifier: Apache-2.0
//
// Stands between a TLS socket and aedes, and does to MQTT's packets what a DXL
// broker does and aedes has no hook for: it swallows QoS above 0 without an
// acknowledgement, closes on clean_session=0 without a CONNACK, discards client
// ids, ignores RETAIN, and cuts off who sends a packet that is too large.
'use strict'

const crypto = require('crypto')
const { Duplex } = require('stream')
const mqtt = require('mqtt-packet')

const CONNECT = 1
const PUBLISH = 3
const LEVELS = { MQIsdp: 3, MQTT: 4 }
const BRIDGE = 0x80
const CLEAN = 0x02
const BAD_LEVEL = 1
const UNAVAILABLE = 3
const REFUSED = 5

class Gate extends Duplex {
	// full(): has the broker as many connections as it may have?
	constructor (socket, limit, full) {
		super()
		this.socket = socket
		this.limit = limit
		this.full = full
		this.pending = []
		this.size = 0
		this.queued = 0
		this.closed_ = false
		socket.on('data', chunk => this.take(chunk))
		socket.on('error', () => {})
		socket.on('end', () => this.shut())
		socket.on('close', () => this.shut())
	}

	// No more comes: what came before is still read.
	shut () {
		if (this.closed_) return
		this.closed_ = true
		this.push(null)
	}

	// The peer loses its connection.
	cut () {
		this.pending = []
		this.size = 0
		this.socket.destroy()
		this.shut()
	}

	refuse (code) {
		this.pending = []
		this.size = 0
		this.socket.end(Buffer.from([0x20, 2, 0, code]))
		this.shut()
	}

	take (chunk) {
		if (this.closed_) return
		this.pending.push(chunk)
		this.size += chunk.length
		for (;;) {
			const [head, body] = this.lengths()
			if (head === 0 || this.closed_ || this.size < head + body) return
			this.packet(this.first(head + body), head)
			if (this.closed_) return
		}
	}

	// The first COUNT bytes, in one piece; they are taken away.
	first (count) {
		const all = this.joined()
		this.pending = count < all.length ? [all.subarray(count)] : []
		this.size -= count
		return Buffer.from(all.subarray(0, count))
	}

	joined () {
		if (this.pending.length > 1) this.pending = [Buffer.concat(this.pending)]
		return this.pending[0] || Buffer.alloc(0)
	}

	// The lengths of the fixed header and of what follows; 0 if unknown yet.
	lengths () {
		if (this.size < 2) return [0, 0]
		if (this.pending[0].length < 5) this.joined()
		const bytes = this.pending[0]
		let length = 0
		for (let i = 1; i <= 4; i++) {
			if (i >= bytes.length) return [0, 0]
			length += (bytes[i] & 0x7f) * 2 ** (7 * (i - 1))
			if (bytes[i] < 0x80) {
				if (length > this.limit && bytes[0] >> 4 !== CONNECT) this.cut()
				return [i + 1, length]
			}
		}
		this.cut()
		return [0, 0]
	}

	packet (bytes, head) {
		const kind = bytes[0] >> 4
		if (kind === CONNECT) return this.admit(bytes, bytes.subarray(head))
		if (kind === PUBLISH) {
			const qos = (bytes[0] >> 1) & 3
			if (qos === 3) return this.cut()
			if (qos > 0) return
			bytes[0] = PUBLISH << 4
		}
		this.pass(bytes)
	}

	pass (bytes) {
		if (!this.push(bytes)) this.socket.pause()
	}

	admit (bytes, body) {
		const length = body.length < 2 ? 0 : body.readUInt16BE()
		const name = body.toString('latin1', 2, 2 + length)
		if (!Object.hasOwn(LEVELS, name) || body.length < length + 4) {
			return this.cut()
		}
		const level = body[2 + length]
		if (level & BRIDGE) return this.refuse(REFUSED)
		if (level !== LEVELS[name]) return this.refuse(BAD_LEVEL)
		if (!(body[3 + length] & CLEAN)) return this.cut()
		if (this.full()) return this.refuse(UNAVAILABLE)
		const parser = mqtt.parser()
		let packet
		parser.on('packet', one => { packet = one })
		parser.on('error', () => {})
		parser.parse(bytes)
		if (!packet) return this.cut()
		packet.clientId = crypto.randomUUID()
		delete packet.username
		delete packet.password
		this.pass(mqtt.generate(packet))
	}

	_read () {
		this.socket.resume()
	}

	// What is sent never waits for a slow peer; queued says how much does.
	_writev (chunks, done) {
		this.socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), () => {
			if (this.socket.writableLength === 0) this.queued = 0
		})
		done()
	}

	_final (done) {
		this.socket.end()
		done()
	}

	_destroy (error, done) {
		this.closed_ = true
		this.socket.destroySoon()
		done(error)
	}
}

module.exports = { Gate }
