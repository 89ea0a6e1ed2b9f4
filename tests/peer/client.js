#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// The public OpenDXL clients, for JavaScript, that of MAR and that of TIE among
// them, doing what they are told.
//
//	client.js FOLDER PORT
//
// FOLDER has a dxlclient.config; of its brokers that at PORT is used.  Standard
// input, a command a line, its words apart by one space; each is answered with
// JSON lines, the last of them {"at": "done"} or {"at": "error"}:
//	sub TOPIC                prints events that come there: {"event": …}
//	event TOPIC TEXT         publishes one, with two headers
//	buffer TOPIC TEXT        one whose payload is a Buffer: msgpack's bin
//	big COUNT TOPIC          one of so many bytes
//	claim CERTS TOPIC TEXT   one that says itself which its certificates are
//	to CLIENT TOPIC TEXT     publishes one for that client alone
//	request TOPIC TEXT       asks, and prints {"response": …} or {"failure": …}
//	at SERVICE TOPIC TEXT    asks that service
//	broker GUID TOPIC TEXT   asks that broker
//	unanswered MS TOPIC TEXT asks, and prints {"unanswered": TOPIC} after a while
//	collect MS TOPIC TEXT    prints all responses that come in that time
//	serve TOPIC NAME         registers a service that answers NAME and the
//	                         request's payload; serve TOPIC NAME TTL JSON: with
//	                         that ttlMins and metaData
//	leave NAME               unregisters it
//	mar JSON                 {projections, conditions, options}: a search
//	tie JSON                 {method, arguments}: of a TieClient, callback apart
//	                         their answer is {"mar": …}, {"tie": …} or
//	                         {"refused": TEXT}
//	watch                    prints reputation changes
//	lost                     ends without a word; so does the end of the input
// {"closed": true} is a connection that was lost, {"asked": …} a request that
// came to a service of its own; "fail CODE TEXT" asks that for an error.
'use strict'

const path = require('path')
const readline = require('readline')
// The client talks on standard output, which is for our lines.
console.log = console.error
const dxl = require('@opendxl/dxl-client')
const { MarClient } = require('@opendxl/dxl-mar-client')
const { TieClient } = require('@opendxl/dxl-tie-client')

const [folder, port] = process.argv.slice(2)
const config = dxl.Config.createDxlConfigFromFile(
	path.join(folder, 'dxlclient.config'))
config.brokers = config.brokers.filter(broker => broker.port === +port)
const client = new dxl.Client(config)
const services = {}

function print (line) {
	process.stdout.write(JSON.stringify(line) + '\n')
}

function show (message) {
	return {
		topic: message.destinationTopic,
		type: message.messageType,
		version: message.version,
		id: message.messageId,
		source: message.sourceClientId,
		broker: message.sourceBrokerId,
		brokerIds: message.brokerIds,
		clientIds: message.clientIds,
		service: message.serviceId,
		fields: message.otherFields,
		text: String(message.payload)
	}
}

function failure (error) {
	const { errorCode, serviceId } = error.dxlErrorResponse
	return {
		name: error.code, text: error.message, code: errorCode, service: serviceId
	}
}

function words (line, count) {
	const parts = []
	for (; count > 0; count--) {
		const [, word, rest] = /^(\S+) ?(.*)$/.exec(line)
		parts.push(word)
		line = rest
	}
	return [...parts, line]
}

function ask (topic, text, more = {}) {
	const request = new dxl.Request(topic)
	request.payload = text
	Object.assign(request, more)
	return new Promise(resolve => client.asyncRequest(request,
		(error, response) => {
			print(error
				? { failure: failure(error) }
				: { response: show(response) })
			resolve()
		}))
}

// Promise of a call whose callback gets (error, result).
function called (call) {
	return new Promise((resolve, reject) => call((error, result) =>
		error ? reject(error) : resolve(result)))
}

async function refusable (call) {
	try {
		await call()
	} catch (error) {
		print({ refused: error.message })
	}
}

const commands = {
	sub: topic => {
		client.addEventCallback(topic, event => print({ event: show(event) }))
	},
	event: rest => {
		const [topic, text] = words(rest, 1)
		const event = new dxl.Event(topic)
		event.payload = text
		event.otherFields = { first: '1', second: '2' }
		client.sendEvent(event)
	},
	buffer: rest => {
		const [topic, text] = words(rest, 1)
		const event = new dxl.Event(topic)
		event.payload = Buffer.from(text)
		client.sendEvent(event)
	},
	claim: rest => {
		const [certs, topic, text] = words(rest, 2)
		const event = new dxl.Event(topic)
		event.payload = text
		event.otherFields = { 'dxl.certs': certs }
		client.sendEvent(event)
	},
	to: rest => {
		const [id, topic, text] = words(rest, 2)
		const event = new dxl.Event(topic)
		event.payload = text
		event.clientIds = [id]
		client.sendEvent(event)
	},
	big: rest => {
		const [count, topic] = words(rest, 1)
		const event = new dxl.Event(topic)
		event.payload = 'x'.repeat(+count)
		client.sendEvent(event)
	},
	request: rest => ask(...words(rest, 1)),
	at: rest => {
		const [serviceId, topic, text] = words(rest, 2)
		return ask(topic, text, { serviceId })
	},
	broker: rest => {
		const [guid, topic, text] = words(rest, 2)
		return ask(topic, text, { brokerIds: [guid] })
	},
	unanswered: rest => {
		const [ms, topic, text] = words(rest, 2)
		return Promise.race([ask(topic, text),
			new Promise(resolve => setTimeout(() => {
				print({ unanswered: topic })
				resolve()
			}, +ms))])
	},
	collect: rest => {
		const [ms, topic, text] = words(rest, 2)
		const request = new dxl.Request(topic)
		request.payload = text
		const hear = response => {
			if (response.requestMessageId === request.messageId) {
				print({ response: show(response) })
			}
		}
		client.addResponseCallback('', hear)
		client.asyncRequest(request, () => {})
		return new Promise(resolve => setTimeout(resolve, +ms))
	},
	serve: rest => {
		const [topic, name, ttl, ...metadata] = rest.split(' ')
		const info = new dxl.ServiceRegistrationInfo(client, '/test/' + name)
		if (ttl) info.ttl = +ttl
		if (metadata.length) info.metadata = JSON.parse(metadata.join(' '))
		info.addTopic(topic, request => {
			print({ asked: show(request) })
			const text = String(request.payload)
			const [, code, message] = /^fail (\S+) (.*)$/.exec(text) || []
			const response = code === undefined
				? new dxl.Response(request)
				: new dxl.ErrorResponse(request, Number(code), message)
			if (code === undefined) response.payload = `${name} ${text}`
			client.sendResponse(response)
		})
		services[name] = info
		return called(done => client.registerServiceAsync(info, done))
			.then(() => print({ registered: info.serviceId, name }))
	},
	leave: name => called(done =>
		client.unregisterServiceAsync(services[name], done)),
	mar: json => refusable(async () => {
		const { projections, conditions, options } = JSON.parse(json)
		const context = await called(done =>
			new MarClient(client).search(projections, conditions, done))
		print({
			mar: await called(done => context.getResults(done, options)),
			results: context.resultCount
		})
	}),
	tie: json => refusable(async () => {
		const { method, arguments: given } = JSON.parse(json)
		print({
			tie: await called(done => new TieClient(client)[method](done, ...given))
		})
	}),
	watch: () => {
		const tie = new TieClient(client)
		tie.addFileReputationChangeCallback(change => print({ change }))
		tie.addCertificateReputationChangeCallback(change => print({ change }))
		tie.addFileDetectionCallback(detection => print({ detection }))
		tie.addFileFirstInstanceCallback(first => print({ first }))
	},
	lost: () => process.exit(0)
}

async function obey (line) {
	const [, word, rest] = /^(\S+) ?(.*)$/.exec(line) || []
	if (!Object.hasOwn(commands, word || '')) throw new Error('unknown')
	await commands[word](rest)
}

client.on('close', () => print({ closed: true }))
client.connect(async () => {
	print({ at: 'ready' })
	for await (const line of readline.createInterface({ input: process.stdin })) {
		try {
			await obey(line)
			print({ at: 'done' })
		} catch (error) {
			print({ at: 'error', message: error.message })
		}
	}
	process.exit(0)
})
