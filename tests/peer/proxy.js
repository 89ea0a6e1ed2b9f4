#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// A network between a tool and its broker that can be made bad: a TCP proxy
// on a free port of 127.0.0.1, which leads to TARGET-PORT there.  It needs no
// package.  What passes is not looked at, so TLS passes as it is.
//
//	proxy.js TARGET-PORT
//
// It prints {"at": "ready", "port": N} when it listens.  "up" is from the
// client to the target, "down" the other way.  Standard input, a command a
// line:
//	pass            everything passes: what the others below did is over
//	stall           nothing passes in either direction, not even an end;
//	                connections stay, new ones are accepted, nothing is
//	                lost: who sends finds its buffers full
//	go              the stall is over, the rest stays as it is
//	cut             ends all connections that are there; new ones may come
//	refuse          cut, and every new connection is ended at once
//	accept          the refusal is over
//	bytes [K]       of each connection, and of each that comes, the next K
//	                bytes of each direction (all of them without K) pass one
//	                by one, each written and sent on its own; 0: no more so.
//	                50,000 bytes take some seconds.  A reader that is
//	                slower than that may find several at once.
//	rate [K]        each direction of each connection passes K bytes a second
//	                at most; 0, or without K: as many as come
//	drop up|down    what goes in this direction is thrown away, ends of
//	                connections too, as if the cable was cut.  A TLS
//	                connection that lost a byte is lost: pass, then cut
//	stats           {…, "up": bytes that passed, "down": …, "dropped": bytes
//	                thrown away, "connections": so far, "open": now}
// Each is answered, once it is in force, with a line {"at": "done",
// "command": …}; what is no command with {"at": "wrong", "command": …}.
// All ends with the input.
'use strict'

const net = require('net')
const readline = require('readline')

const target = Number(process.argv[2])
if (!Number.isInteger(target) || target < 1 || target > 65535) {
	console.error('usage: proxy.js TARGET-PORT')
	process.exit(64)
}

const links = new Set() // of [up, down]
const stats = { up: 0, down: 0, dropped: 0, connections: 0 }
const dropped = { up: false, down: false }
let stalled = false
let refused = false
let rate = 0 // bytes a second; 0: no limit
let single = 0 // how many bytes of a new connection pass one by one

function print (line) {
	process.stdout.write(JSON.stringify(line) + '\n')
}

// One direction of a connection.  Bytes are taken from a socket only when
// they can go on; what cannot waits in it and, behind that, at its sender.
class Way {
	constructor (name, from, to) {
		this.name = name
		this.from = from
		this.to = to
		this.single = single
		this.busy = false // writing, and not done with it
		this.ended = false
		this.broken = false
		from.on('readable', () => this.step())
		from.on('end', () => { this.ended = true; this.step() })
		from.on('error', () => { this.broken = true })
		from.on('close', () => {
			this.broken = this.broken || !this.ended
			this.step()
		})
	}

	step () {
		if (stalled || this.busy) return
		if (dropped[this.name]) {
			this.discard()
			return
		}
		if (this.broken) {
			this.to.destroy()
			return
		}
		const bytes = this.from.read(this.most())
		if (bytes !== null) this.write(bytes)
		else if (this.ended && !this.to.writableEnded) this.to.end()
	}

	// How many bytes to take at once.
	most () {
		if (this.single > 0) return 1
		if (rate === 0) return undefined
		const slice = Math.ceil(rate / 50)
		return Math.min(slice, this.from.readableLength) || undefined
	}

	write (bytes) {
		stats[this.name] += bytes.length
		if (this.single > 0) this.single--
		this.busy = true
		const next = () => {
			this.busy = false
			this.step()
		}
		this.to.write(bytes, () => {
			if (rate > 0) setTimeout(next, bytes.length * 1000 / rate)
			else setImmediate(next)
		})
	}

	discard () {
		for (let bytes; (bytes = this.from.read()) !== null;) {
			stats.dropped += bytes.length
		}
	}
}

function cut () {
	for (const link of links) {
		for (const way of link) way.from.destroy()
	}
	links.clear()
}

function step () {
	for (const link of links) {
		for (const way of link) way.step()
	}
}

function connect (client) {
	if (refused) {
		client.destroy()
		return
	}
	stats.connections++
	const broker = net.connect({
		host: '127.0.0.1', port: target, allowHalfOpen: true, noDelay: true
	})
	const link = [new Way('up', client, broker),
		new Way('down', broker, client)]
	const forget = () => {
		if (client.destroyed && broker.destroyed) links.delete(link)
	}
	client.on('close', forget)
	broker.on('close', forget)
	links.add(link)
}

const commands = {
	pass () {
		stalled = refused = dropped.up = dropped.down = false
		rate = 0
		commands.bytes('0')
	},
	stall () { stalled = true },
	go () {
		stalled = false
		step()
	},
	cut,
	refuse () {
		refused = true
		cut()
	},
	accept () { refused = false },
	bytes (count) {
		single = count === undefined ? Infinity : Number(count)
		for (const link of links) {
			for (const way of link) way.single = single
		}
		step()
	},
	rate (count) { rate = Number(count || 0) },
	drop (name) {
		dropped[name] = true
		step()
	},
	stats () { return { ...stats, open: links.size } }
}

// The arguments that a command may have; without an entry: none.
const argument = { bytes: /^(\d{1,15})?$/, rate: /^(\d{1,9})?$/, drop: /^(up|down)$/ }

function obey (line) {
	const [, name, rest] = /^(\S*)\s*(.*?)\s*$/.exec(line)
	if (!Object.hasOwn(commands, name) ||
		!(argument[name] || /^$/).test(rest)) {
		print({ at: 'wrong', command: line })
		return
	}
	print({ at: 'done', command: line, ...commands[name](rest || undefined) })
}

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, connect)
server.on('error', (error) => {
	console.error('proxy.js: ' + error.message)
	process.exit(1)
})
server.listen(0, '127.0.0.1', () => {
	print({ at: 'ready', port: server.address().port })
	readline.createInterface({ input: process.stdin })
		.on('line', obey)
		.on('close', () => process.exit(0))
})
