#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// A peer that says anything: any bytes on any topic, in an envelope or not.
//
//	raw.js FOLDER PORT [WILL-TOPIC WILL-JSON]
//
// FOLDER has ca.crt, user.crt and user.key.  Standard input, a command a line:
//	hex TOPIC HEX       those bytes as the MQTT payload
//	file TOPIC PATH     the bytes of a file
//	cuts TOPIC PATH     that file cut off after many lengths
//	flips TOPIC PATH    that file with single bytes changed
//	json TOPIC TEXT     an envelope with that text
//	body TOPIC HEX      an envelope with those bytes
//	big TOPIC JSON N    an envelope with N x's in the place of X in the JSON
//	sub TOPIC           prints what comes there
//	answer BODY         answers each question that names an inbox with this
//	                    JSON, in an envelope; again: with this too
//	drop                closes the socket without a word
//	bye                 disconnects; so does the end of the input
// What is published has come to the broker before the next command is read;
// each command is answered with a line {"at": "done", "count": N}.  With
// QCHAT_TEST_FABRIC=dxl all is QoS 0, as a DXL broker takes nothing else.
'use strict'

const crypto = require('crypto')
const fs = require('fs')
const path = require('path')
const readline = require('readline')
const mqtt = require('mqtt')

const [folder, port, willTopic, willJson] = process.argv.slice(2)
const id = `{${crypto.randomUUID()}}`
const inbox = '/mcafee/client/' + id
const answers = []
const qos = process.env.QCHAT_TEST_FABRIC === 'dxl' ? 0 : 1

function print (line) {
	process.stdout.write(JSON.stringify(line) + '\n')
}

// One string in msgpack's old raw family.
function raw (bytes) {
	const head = Buffer.alloc(5)
	if (bytes.length < 32) {
		head[0] = 0xa0 | bytes.length
		return [head.subarray(0, 1), bytes]
	}
	if (bytes.length < 0x10000) {
		head[0] = 0xda
		head.writeUInt16BE(bytes.length, 1)
		return [head.subarray(0, 3), bytes]
	}
	head[0] = 0xdb
	head.writeUInt32BE(bytes.length, 1)
	return [head, bytes]
}

// An event of version 2, as the Python client writes it.
function envelope (payload) {
	return Buffer.concat([
		Buffer.from([2, 2]),
		...raw(Buffer.from(`{${crypto.randomUUID()}}`)),
		Buffer.from([0xa0, 0xa0, 0x90, 0x90]),
		...raw(Buffer.from(payload)),
		Buffer.from([0x90, 0xa0, 0x90])
	])
}

function decode (bytes) {
	try {
		const decoded =
			require('@opendxl/dxl-client/lib/decode-message')(bytes)
		return JSON.parse(String(decoded.payload))
	} catch (error) {
		return null
	}
}

function read (file) {
	return fs.readFileSync(path.resolve(file))
}

// All short lengths, then a few of the longer ones, then all but the end.
function lengths (total) {
	const chosen = new Set()
	for (let n = 0; n < Math.min(total, 64); n++) chosen.add(n)
	for (let n = 64; n < total; n += Math.ceil(total / 24)) chosen.add(n)
	for (let n = Math.max(0, total - 16); n < total; n++) chosen.add(n)
	return Array.from(chosen)
}

function flipped (bytes, at, value) {
	const copy = Buffer.from(bytes)
	copy[at] = value
	return copy
}

const commands = {
	hex: (topic, hex) => [[topic, Buffer.from(hex, 'hex')]],
	file: (topic, file) => [[topic, read(file)]],
	cuts: (topic, file) => {
		const bytes = read(file)
		return lengths(bytes.length).map(n => [topic, bytes.subarray(0, n)])
	},
	flips: (topic, file) => {
		const bytes = read(file)
		return lengths(bytes.length).flatMap(n => [0xc1, 0xdf, bytes[n] ^ 0x80]
			.map(value => [topic, flipped(bytes, n, value)]))
	},
	json: (topic, text) => [[topic, envelope(text)]],
	body: (topic, hex) => [[topic, envelope(Buffer.from(hex, 'hex'))]],
	big: (topic, rest) => {
		const [, json, count] = /^(.*) ([0-9]+)$/.exec(rest)
		return [[topic, envelope(json.replace('X', 'x'.repeat(+count)))]]
	}
}

const client = mqtt.connect({
	host: '127.0.0.1',
	port: +port,
	protocol: 'mqtts',
	protocolVersion: 4,
	clientId: id,
	clean: true,
	reconnectPeriod: 0,
	ca: fs.readFileSync(path.join(folder, 'ca.crt')),
	cert: fs.readFileSync(path.join(folder, 'user.crt')),
	key: fs.readFileSync(path.join(folder, 'user.key')),
	will: willTopic === undefined
		? undefined
		: { topic: willTopic, payload: envelope(willJson), qos }
})

async function publish (list) {
	await Promise.all(list.map(([topic, bytes]) =>
		new Promise((resolve, reject) => {
			client.publish(topic, bytes, { qos },
				error => error ? reject(error) : resolve())
		})))
	if (qos === 0) await subscribe(inbox) // is acknowledged behind them
}

function subscribe (topic) {
	return new Promise((resolve, reject) => {
		client.subscribe(topic, { qos },
			error => error ? reject(error) : resolve())
	})
}

async function obey (line) {
	const [, word, rest] = /^(\S+) ?(.*)$/.exec(line) || []
	if (word === 'bye') {
		client.end(false, () => process.exit(0))
		return
	}
	if (word === 'drop') {
		client.stream.destroy()
		process.exit(0)
	}
	let count = 1
	if (word === 'sub') {
		await subscribe(rest)
	} else if (word === 'answer') {
		answers.push(rest)
	} else {
		const [, topic, argument] = /^(\S+) ?(.*)$/.exec(rest)
		const list = commands[word](topic, argument)
		count = list.length
		await publish(list)
	}
	print({ at: 'done', command: word, count })
}

client.on('message', (topic, bytes) => {
	const message = decode(bytes)
	print({ topic, got: message, hex: bytes.length < 2000
		? bytes.toString('hex')
		: undefined })
	if (message && message.type === 3 && typeof message.inbox === 'string') {
		publish(answers.map(text => [message.inbox, envelope(text)]))
			.catch(error => print({ at: 'error', error: error.message }))
	}
})

client.on('error', error => {
	print({ at: 'error', error: error.message })
	process.exit(1)
})

client.on('close', () => {
	print({ at: 'closed' })
	process.exit(1)
})

client.once('connect', async () => {
	await subscribe(inbox)
	print({ at: 'ready', inbox })
	const lines = readline.createInterface({ input: process.stdin })
	for await (const line of lines) {
		try {
			await obey(line)
		} catch (error) {
			print({ at: 'error', line, error: error.message })
		}
	}
	client.end(false, () => process.exit(0))
})
