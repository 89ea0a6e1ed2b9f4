#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// A peer on the public JavaScript OpenDXL client that behaves in a room as
// the original QChat does (its window version), and is as strict as that was.
//
//	original.js FOLDER PORT ROOM USER
//
// FOLDER has a dxlclient.config.  Standard input, a command a line:
//	say TEXT       a type 1 message
//	buffer TEXT    the same, the payload given as a Buffer: msgpack's bin
//	raw JSON       that payload as a string
//	rawhex HEX     those bytes as payload
//	users          prints who is in the user list
//	bye            says type 4 and ends; so does the end of the input
//	vanish         ends without a word
// Standard output, JSON lines: {"at": …} for what it does, {"got": payload,
// "raises": what the original's handler would have stumbled over, or null}.
'use strict'

const crypto = require('crypto')
const path = require('path')
const readline = require('readline')
// The client talks on standard output, which is for our lines.
console.log = console.error
const dxl = require('@opendxl/dxl-client')

const PING_MS = 60000
const FORGET_MS = 300000

const [folder, , room, user] = process.argv.slice(2)
const topic = '/mcafee/event/qchat/' + room
const uid = crypto.createHash('md5')
	.update(user + (Date.now() / 1000).toFixed(2)).digest('hex')
const client = new dxl.Client(dxl.Config.createDxlConfigFromFile(
	path.join(folder, 'dxlclient.config')))
const users = new Map()
let entered = false

function print (line) {
	process.stdout.write(JSON.stringify(line) + '\n')
}

function publish (payload) {
	const event = new dxl.Event(topic)
	event.payload = payload
	client.sendEvent(event)
}

function seconds () {
	return String(Math.floor(Date.now() / 1000))
}

function send (type, more) {
	publish(JSON.stringify(Object.assign({ type }, more, {
		time: seconds(), user, UID: uid
	})))
}

// What Python's int() makes of a JSON value; throws where that raises.
function int (value) {
	if (typeof value === 'number') return Math.trunc(value)
	if (typeof value === 'boolean') return value ? 1 : 0
	if (typeof value !== 'string') throw new Error('TypeError: int()')
	if (!/^\s*[+-]?[0-9]+\s*$/.test(value)) {
		throw new Error(`ValueError: int(${JSON.stringify(value)})`)
	}
	return parseInt(value, 10)
}

function item (object, key) {
	if (!Object.prototype.hasOwnProperty.call(object, key)) {
		throw new Error(`KeyError: ${key}`)
	}
	return object[key]
}

// Python 2 formats what is not ASCII only as an exception.
function formatted (value) {
	if (typeof value === 'string' && /[^\x00-\x7f]/.test(value)) {
		throw new Error('UnicodeEncodeError')
	}
	return value
}

// A list of users by UID, refreshed by types 1 and 2.
function refresh (message) {
	users.set(item(message, 'UID'), {
		name: item(message, 'user'),
		seen: Date.now()
	})
}

function handle (message) {
	if (message === null || typeof message !== 'object' ||
		Array.isArray(message)) {
		throw new Error('TypeError: not an object')
	}
	const type = item(message, 'type')
	if (!Number.isInteger(type)) {
		throw new Error('a type that is no integer: ignored')
	}
	if (type === 1) {
		int(item(message, 'time'))
		item(message, 'UID')
		formatted(item(message, 'user'))
		formatted(item(message, 'message'))
		refresh(message)
	} else if (type === 2) {
		int(item(message, 'time'))
		formatted(item(message, 'user'))
		refresh(message)
	} else if (type === 3) {
		send(2)
	} else if (type === 4) {
		int(item(message, 'time'))
		item(message, 'user')
		users.delete(item(message, 'UID'))
	}
}

function receive (event) {
	let message
	let raises = null
	try {
		const text = new TextDecoder('utf-8', { fatal: true })
			.decode(Buffer.from(event.payload))
		message = JSON.parse(text)
		handle(message)
	} catch (error) {
		raises = error.message
	}
	print({ got: message === undefined ? String(event.payload) : message,
		raises })
	if (!entered) {
		entered = true // our own question came back
		print({ at: 'ready', uid })
	}
}

function forget () {
	for (const [id, one] of users) {
		if (Date.now() - one.seen >= FORGET_MS) users.delete(id)
	}
}

function leave () {
	client.destroy()
	process.exit(0)
}

const commands = {
	say: text => send(1, { message: text }),
	buffer: text => publish(Buffer.from(JSON.stringify({
		type: 1, message: text, time: seconds(), user, UID: uid
	}))),
	raw: json => publish(json),
	rawhex: hex => publish(Buffer.from(hex, 'hex')),
	users: () => print({
		users: Array.from(users.values(), one => one.name).sort()
	}),
	vanish: () => process.kill(process.pid, 'SIGKILL'),
	bye: () => {
		send(4)
		client.disconnect(leave)
	}
}

client.addEventCallback(topic, receive)
client.connect(() => {
	send3()
	setInterval(() => { forget(); send(2) }, PING_MS)
	const lines = readline.createInterface({ input: process.stdin })
	lines.on('line', line => {
		const [, word, rest] = /^(\S+) ?(.*)$/.exec(line) || []
		if (!Object.prototype.hasOwnProperty.call(commands, word)) {
			print({ at: 'error', unknown: line })
			return
		}
		commands[word](rest)
		print({ at: 'sent', command: word })
	})
	lines.on('close', commands.bye)
})

function send3 () {
	publish('{"type": 3}')
}
