#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// A peer that signs as qchat-protocol(7) has it, or as it should not.
//
//	attacker.js FOLDER PORT
//
// FOLDER has ca.crt, user.crt and user.key, for the connection.  Standard
// input, a command a line, JSON:
//
//	{"do":"say", "topic":T, "payload":{…} or "text":T, …}   publishes:
//	  as       folder of the certificate and key that sign (FOLDER)
//	  key      name of the session key (main); one binding each
//	  cert     file of the certificates that go along (as/user.crt)
//	  sign     false: not at all
//	  signTopic, signText   what is signed instead
//	  sent, begin, end      ms from now: of sending, of the binding
//	  bind, certs           false: does not go along
//	  binder   folder of the key that signs the binding (as)
//	  bindOf   name of the session key whose binding goes along, and is named
//	  sigOf    text of a header qchat.sig
//	  flip     "sig", "bind", "certs", "text": one bit of it
//	  headers  others, {KEY: VALUE}
//	  source   the client that it claims to come from
//	  bin      true: the payload as a msgpack bin
//	  times    so often (1)
//	{"do":"sub", "topic":T}             hears and keeps what comes there
//	{"do":"again", "match":S, "topic":T, …}   publishes the first kept message
//	  whose payload has S: as it was; text, headers and source as above
//	{"do":"count", "topic":T, "match":S}      how many such were kept
//	{"do":"will", …}                    as say, but as a new connection's will,
//	  which is then cut
// Each is answered with a line {"at":"done", …}.
'use strict'

const crypto = require('crypto')
const fs = require('fs')
const path = require('path')
const readline = require('readline')
const mqtt = require('mqtt')

const [folder, port] = process.argv.slice(2)
const inbox = `/mcafee/client/{${crypto.randomUUID()}}`
const qos = process.env.QCHAT_TEST_FABRIC === 'dxl' ? 0 : 1
const keys = {}
const kept = []

function print (line) {
	process.stdout.write(JSON.stringify(line) + '\n')
}

function number (value, size) {
	const bytes = Buffer.alloc(size)
	if (size === 8) bytes.writeBigUInt64BE(BigInt(value))
	else bytes.writeUIntBE(value, 0, size)
	return bytes
}

// One string in msgpack's old raw family, or a bin.
function raw (value, bin) {
	const bytes = Buffer.from(value)
	if (bin) return Buffer.concat([Buffer.from([0xc6]), number(bytes.length, 4), bytes])
	if (bytes.length < 32) {
		return Buffer.concat([Buffer.from([0xa0 | bytes.length]), bytes])
	}
	return Buffer.concat([Buffer.from([0xdb]), number(bytes.length, 4), bytes])
}

function envelope (text, headers, source, bin) {
	const fields = Object.entries(headers).flat()
	return Buffer.concat([
		Buffer.from([2, 2]),
		raw(`{${crypto.randomUUID()}}`), raw(source || ''), raw(''),
		Buffer.from([0x90, 0x90]),
		raw(text, bin),
		Buffer.from([0xdc]), number(fields.length, 2),
		...fields.map(field => raw(field)),
		raw(''), Buffer.from([0x90])
	])
}

// What an event of version 2 holds, as far as we need it.
function parse (bytes) {
	let at = 2
	const string = () => {
		const head = bytes[at++]
		let len = head & 0x1f
		if (head === 0xda) { len = bytes.readUInt16BE(at); at += 2 }
		if (head === 0xdb) { len = bytes.readUInt32BE(at); at += 4 }
		at += len
		return bytes.subarray(at - len, at)
	}
	const list = () => {
		const head = bytes[at++]
		let count = head & 0x0f
		if (head === 0xdc) { count = bytes.readUInt16BE(at); at += 2 }
		return Array.from({ length: count }, string)
	}
	string(); string(); string(); list(); list()
	const text = String(string())
	const fields = list().map(String)
	const headers = {}
	for (let i = 0; i + 1 < fields.length; i += 2) {
		headers[fields[i]] = fields[i + 1]
	}
	return { text, headers }
}

function digest (bytes) {
	return crypto.createHash('sha256').update(bytes).digest()
}

function der (file) {
	return fs.readFileSync(file, 'utf8')
		.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)
		.map(pem => new crypto.X509Certificate(pem).raw)
}

// A session key and its binding, made once.
function session (name, as, command) {
	if (keys[name]) return keys[name]
	const ed = crypto.generateKeyPairSync('ed25519')
	const x = crypto.generateKeyPairSync('x25519')
	const point = key => key.export({ type: 'spki', format: 'der' }).subarray(-32)
	const now = Date.now()
	const body = Buffer.concat([
		Buffer.from([1]), point(ed.publicKey), point(x.publicKey),
		number(now + (command.begin || -600000), 8),
		number(now + (command.end || 86400000), 8),
		digest(der(command.cert || path.join(as, 'user.crt'))[0]),
		number(0, 2)
	])
	const signature = crypto.sign('sha256',
		Buffer.concat([Buffer.from('qchat-binding-v1\0'), body]),
		fs.readFileSync(path.join(command.binder || as, 'user.key')))
	const binding = Buffer.concat([body, signature])
	keys[name] = { key: ed.privateKey, binding, id: digest(binding) }
	return keys[name]
}

function flipped (base64) {
	const bytes = Buffer.from(base64, 'base64')
	bytes[bytes.length - 5] ^= 1
	return bytes.toString('base64')
}

function build (command) {
	const as = command.as || folder
	const name = command.key || 'main'
	let text = command.text || JSON.stringify(command.payload)
	const headers = { ...command.headers }
	if (command.sign !== false) {
		const { key } = session(name, as, command)
		const { binding, id } = session(command.bindOf || name, as, command)
		const sent = number(Date.now() + (command.sent || 0), 8)
		const topic = Buffer.from(command.signTopic || command.topic)
		const signature = crypto.sign(null, Buffer.concat([
			Buffer.from('qchat-message-v1\0'), number(topic.length, 4), topic,
			id, sent, digest(command.signText || text)]), key)
		headers['qchat.sig'] = command.sigOf ||
			Buffer.concat([Buffer.from([1]), id, sent, signature]).toString('base64')
		if (command.bind !== false) {
			headers['qchat.bind'] = binding.toString('base64')
		}
		if (command.certs !== false) {
			headers['qchat.cert'] = Buffer.concat(
				der(command.cert || path.join(as, 'user.crt'))).toString('base64')
		}
	}
	const flip = { sig: 'qchat.sig', bind: 'qchat.bind', certs: 'qchat.cert' }
	if (flip[command.flip]) {
		headers[flip[command.flip]] = flipped(headers[flip[command.flip]])
	}
	if (command.flip === 'text') text = text.replace('harmless', 'harmful!')
	return envelope(text, headers, command.source, command.bin)
}

function connect (will) {
	return mqtt.connect({
		host: '127.0.0.1',
		port: +port,
		protocol: 'mqtts',
		protocolVersion: 4,
		clientId: will ? `{${crypto.randomUUID()}}` : inbox.slice(15),
		clean: true,
		reconnectPeriod: 0,
		ca: fs.readFileSync(path.join(folder, 'ca.crt')),
		cert: fs.readFileSync(path.join(folder, 'user.crt')),
		key: fs.readFileSync(path.join(folder, 'user.key')),
		will
	})
}

const client = connect()

function publish (topic, bytes) {
	return new Promise((resolve, reject) => client.publish(topic, bytes,
		{ qos }, error => error ? reject(error) : resolve()))
}

function find (command) {
	return kept.filter(message => (!command.topic || command.do === 'again' ||
		message.topic === command.topic) && message.text.includes(command.match))
}

const commands = {
	say: async command => {
		const count = command.times || 1
		const sends = []
		for (let i = 0; i < count; i++) {
			const numbered = JSON.parse(JSON.stringify(command)
				.replace(/%n/g, String(i)))
			sends.push(publish(command.topic, build(numbered)))
			if (sends.length === 100) await Promise.all(sends.splice(0))
		}
		await Promise.all(sends)
		if (qos === 0) await commands.sub({ topic: inbox }) // behind them
		return { count }
	},
	sub: command => new Promise((resolve, reject) => client.subscribe(
		command.topic, { qos },
		error => error ? reject(error) : resolve({}))),
	again: async command => {
		const [message] = find(command)
		if (!message) throw new Error(`nothing has ${command.match}`)
		const bytes = command.text || command.headers || command.source
			? envelope(command.text || message.text,
				{ ...message.headers, ...command.headers }, command.source)
			: message.bytes
		for (let i = 0; i < (command.times || 1); i++) {
			await publish(command.topic, bytes)
		}
		if (qos === 0) await commands.sub({ topic: inbox })
		return {}
	},
	count: async command => ({ count: find(command).length }),
	will: command => new Promise((resolve, reject) => {
		const other = connect({
			topic: command.topic, payload: build(command), qos
		})
		other.on('error', reject)
		other.on('connect', () => {
			other.stream.destroy()
			resolve({})
		})
	})
}

client.on('message', (topic, bytes) => {
	try {
		const { text, headers } = parse(bytes)
		kept.push({ topic, text, headers, bytes: Buffer.from(bytes) })
		print({ topic, text, headers })
	} catch (error) {
		print({ topic, hex: bytes.toString('hex') })
	}
})

client.on('error', error => {
	print({ at: 'error', error: error.message })
	process.exit(1)
})

client.once('connect', async () => {
	await commands.sub({ topic: inbox })
	print({ at: 'ready', inbox })
	const lines = readline.createInterface({ input: process.stdin })
	for await (const line of lines) {
		try {
			const command = JSON.parse(line)
			print({ at: 'done', ...await commands[command.do](command) })
		} catch (error) {
			print({ at: 'error', line, error: error.message })
		}
	}
	client.end(false, () => process.exit(0))
})
