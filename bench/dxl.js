#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// The public JavaScript OpenDXL client at the same work as qchat-say -l and
// qchat-listen: each line is one event.
//
//	dxl.js say CONFIG TOPIC         sends each line of standard input
//	dxl.js listen CONFIG TOPIC N    prints what comes, a line each, and ends
//	                                after N
//
// CONFIG is a dxlclient.config.  The receiver says "ready" on standard error.
// The client takes all that it is given and has no way to tell how much of it
// waits, so the sender looks at its socket, and goes on below HIGH bytes.
'use strict'

const readline = require('readline')
// The client talks on standard output, which is for what comes.
console.log = console.error
const dxl = require('@opendxl/dxl-client')

const HIGH = 1024 * 1024
const [what, config, topic, count] = process.argv.slice(2)
const client = new dxl.Client(dxl.Config.createDxlConfigFromFile(config))

function waiting () {
	return client._mqttClient.stream.writableLength
}

async function say () {
	for await (const line of readline.createInterface({
		input: process.stdin
	})) {
		const event = new dxl.Event(topic)
		event.payload = line
		client.sendEvent(event)
		while (waiting() > HIGH) await new Promise(setImmediate)
	}
	while (waiting() > 0) await new Promise(setImmediate)
	leave()
}

function listen () {
	let left = Number(count)
	client.addEventCallback(topic, event => {
		process.stdout.write(event.payload.toString() + '\n')
		if (--left === 0) leave()
	})
	// It comes back when the broker has both subscriptions.
	client.addEventCallback(topic + '/ready', () => console.error('ready'))
	client.sendEvent(new dxl.Event(topic + '/ready'))
}

function leave () {
	client.disconnect(() => {
		client.destroy()
		process.exit(0)
	})
}

client.connect(what === 'say' ? say : listen)
