#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// A stand-in for a DXL fabric: one broker or several that are linked.
//
//	fabric.js [--brokers N] [--ports PORT,…] [--policy FILE]
//		[--connections N] [--queue N] [--minute MS] [--size BYTES] FOLDER
//
// FOLDER has ca.crt, server.crt and server.key.  What the options and the
// commands on standard input do is in README.md.  The end of the input ends it.
// Standard output has JSON lines: {"at": "ready", "brokers": [{guid, port}, …]}
// first, then {"at": "done", "command": …} for each command, and between them
// what happened: denied, error, refused, revoked.
'use strict'

const readline = require('readline')
const { parseArgs } = require('util')
const { Broker } = require('./broker')
const { whole } = require('./number')
const { Registry } = require('./registry')

function print (line) {
	process.stdout.write(JSON.stringify(line) + '\n')
}

class Fabric {
	constructor (minute) {
		this.registry = new Registry(minute)
		this.brokers = []
		this.linked = true
		this.messages = new WeakMap() // payload to the message in it
		this.overloaded = new Set()
		this.revoked = new Set()
	}

	log (line) {
		print(line)
	}

	// The brokers that BROKER's messages get to, itself first.
	reach (broker) {
		return [broker, ...this.brokers.filter(one =>
			one !== broker && one.up && this.linked)]
	}

	revoke (thumbprints) {
		for (const one of thumbprints.filter(Boolean)) {
			this.revoked.add(one.toLowerCase())
		}
		this.log({ revoked: Array.from(this.revoked) })
		for (const session of this.sessions()) {
			if (session.chain.some(one => this.revoked.has(one))) {
				session.gate.cut()
			}
		}
	}

	sessions () {
		return this.brokers.flatMap(broker => Array.from(broker.sessions))
	}
}

const { values, positionals: [folder] } = parseArgs({
	allowPositionals: true,
	options: {
		brokers: { type: 'string', default: '1' },
		connections: { type: 'string', default: '0' },
		minute: { type: 'string', default: '60000' },
		policy: { type: 'string' },
		ports: { type: 'string', default: '' },
		queue: { type: 'string', default: '500000' },
		size: { type: 'string', default: '1048576' }
	}
})
const fabric = new Fabric(whole(values.minute))
const ports = values.ports.split(',')
for (let i = 0; i < whole(values.brokers); i++) {
	fabric.brokers.push(new Broker(fabric, folder, {
		connections: whole(values.connections),
		policy: values.policy,
		port: +ports[i] || 0,
		queue: whole(values.queue),
		size: whole(values.size)
	}))
}

const commands = {
	down: number => fabric.brokers[number].stop(),
	up: number => fabric.brokers[number].start(),
	part: () => { fabric.linked = false },
	link: () => { fabric.linked = true },
	overload: topic => { fabric.overloaded.add(topic) },
	relieve: topic => { fabric.overloaded.delete(topic) },
	says: rest => {
		const [, number, name, text] = /^(\d+)(?: (\S+)(?: (.+))?)?$/.exec(rest)
		if (name) fabric.brokers[number].says[name] = text
		else fabric.brokers[number].says = {}
	},
	kick: thumbprint => {
		for (const session of fabric.sessions()) {
			if (!thumbprint || session.is(thumbprint)) session.gate.cut()
		}
	},
	clients: () => print({
		clients: fabric.sessions().map(session => ({
			broker: fabric.brokers.indexOf(session.broker),
			instance: session.instance,
			subscriptions: session.filters()
		}))
	}),
	services: () => print({
		services: fabric.registry.all().map(one => ({
			guid: one.serviceGuid, type: one.serviceType,
			channels: one.requestChannels
		}))
	})
}

async function main () {
	for (const broker of fabric.brokers) await broker.start()
	print({
		at: 'ready',
		brokers: fabric.brokers.map(({ guid, port }) => ({ guid, port }))
	})
	for await (const line of readline.createInterface({ input: process.stdin })) {
		const [, word, rest] = /^(\S+) ?(.*)$/.exec(line) || []
		if (!Object.hasOwn(commands, word || '')) {
			print({ at: 'error', unknown: line })
			continue
		}
		await commands[word](rest)
		print({ at: 'done', command: word })
	}
	process.exit(0)
}

main().catch(error => {
	process.stderr.write(error.stack + '\n')
	process.exit(1)
})
