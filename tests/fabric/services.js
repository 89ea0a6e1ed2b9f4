#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// A MAR and a TIE service on the public JavaScript OpenDXL client.
//
//	services.js FOLDER [STRANGER]
//
// FOLDER has the service's dxlclient.config, STRANGER that of somebody else,
// who answers in its place when a command says so.  The commands on standard
// input stand in README.md.  Standard output, JSON lines: {"at": "ready"},
// {"at": "done", "command": …}, and {"asked": …} for each request.
'use strict'

const path = require('path')
const readline = require('readline')
// The client talks on standard output, which is for our lines.
console.log = console.error
const dxl = require('@opendxl/dxl-client')
const { Mar, MADE_UP, TOPIC } = require('./mar')
const { whole } = require('./number')
const { Tie, Failure, EXTERNAL } = require('./tie')

const UNAVAILABLE = [0x80000001, 'unable to locate service for request']
const OVERLOADED = [0x80000002, 'service is overloaded']

function print (line) {
	process.stdout.write(JSON.stringify(line) + '\n')
}

function connect (folder) {
	const client = new dxl.Client(dxl.Config.createDxlConfigFromFile(
		path.join(folder, 'dxlclient.config')))
	return new Promise(resolve => client.connect(() => resolve(client)))
}

const [folder, strangerFolder] = process.argv.slice(2)
const mar = new Mar()
let client
let stranger
const tie = new Tie((topic, payload) => {
	const event = new dxl.Event(topic)
	event.payload = payload // a string: a Buffer would go as msgpack's bin
	client.sendEvent(event)
})
// How each of them answers: {mode, rest, at, of}
const moods = { mar: { mode: 'well' }, tie: { mode: 'well' } }

function respond (request, payload, changes = {}, as = client) {
	const response = new dxl.Response(request)
	response.payload = payload
	as.sendResponse(Object.assign(response, changes))
}

function fail (request, code, text) {
	client.sendResponse(new dxl.ErrorResponse(request, code, text))
}

// answer: the text, by name of the mood it is in.
const manners = {
	well: (request, answer) => respond(request, answer),
	silent: () => {},
	late: (request, answer, rest) =>
		setTimeout(respond, +rest, request, answer),
	twice: (request, answer) => {
		respond(request, answer)
		respond(request, answer)
	},
	garbage: request => respond(request, '{"code": 200, "bo'),
	bytes: request => respond(request, Buffer.from('fffe00c1', 'hex')),
	array: request => respond(request, '[1, 2, 3]'),
	empty: request => respond(request, ''),
	json: (request, answer, rest) => respond(request, rest),
	ended: (request, answer) => respond(request, answer + '\n\0'),
	overloaded: request => fail(request, ...OVERLOADED),
	unavailable: request => fail(request, ...UNAVAILABLE),
	error: (request, answer, rest) => {
		const [, code, text] = /^(\S+) ?(.*)$/.exec(rest)
		fail(request, Number(code), text)
	},
	code: (request, answer, rest) => {
		const [, code, text] = /^(\S+) ?(.*)$/.exec(rest)
		respond(request, JSON.stringify(mar.failure(+code, text)))
	},
	plaincode: (request, answer, rest) => {
		const [, code, body] = /^(\S+) ?(.*)$/.exec(rest)
		respond(request, JSON.stringify({ code: +code, body }))
	},
	mistaken: (request, answer) =>
		respond(request, answer, { requestMessageId: '{not yours}' }),
	broadcast: (request, answer) =>
		respond(request, answer, { clientIds: [], brokerIds: [] }),
	// Somebody else is quicker, or the only one: forged, or with its own
	// idea of the service.
	stranger: (request, answer, rest) => {
		const forged = answer.replace(/[0-9](?=[^0-9]*$)/, '7')
		const { serviceId } = request
		respond(request, forged, {
			serviceId: /\bown\b/.test(rest) ? '{somebody-else}' : serviceId
		}, stranger)
		if (!/\balone\b/.test(rest)) setTimeout(respond, 300, request, answer)
	}
}

function answerAs (name, step, request, make) {
	let asked = null
	try {
		asked = JSON.parse(String(request.payload).replace(/[\0\n]+$/, ''))
	} catch (error) {
		// It is told, and fails below.
	}
	print({
		asked: name, step, request: asked, topic: request.destinationTopic,
		routed: request.sourceClientId !== '', service: request.serviceId
	})
	let answer
	try {
		answer = make(asked)
	} catch (error) {
		fail(request, 0, error instanceof Failure
			? error.message
			: `Internal error: ${error.message}`)
		return
	}
	const { mode, rest, at, of } = moods[name]
	const meant = (!at || at === step) &&
		(!of || String(request.payload).includes(of))
	manners[meant ? mode : 'well'](request, answer, rest)
}

function onMar (request) {
	const asked = String(request.payload)
	let step
	try {
		step = mar.step(JSON.parse(asked))
	} catch (error) {
		step = 'nonsense'
	}
	answerAs('mar', step, request, payload => JSON.stringify(mar.answer(payload)))
}

function onTie (request) {
	const topic = request.destinationTopic
	answerAs('tie', tie.step(topic), request, payload => {
		const answer = tie.answer(topic, payload)
		return typeof answer === 'string' ? answer : JSON.stringify(answer)
	})
}

const services = {}

function register (name, type, callbacks) {
	const info = new dxl.ServiceRegistrationInfo(client, type)
	info.addTopics(callbacks)
	services[name] = info
	return new Promise((resolve, reject) =>
		client.registerServiceAsync(info, error =>
			error ? reject(error) : resolve()))
}

function registerAs (name) {
	return name === 'mar'
		? register('mar', '/mcafee/mar/service', { [TOPIC]: onMar })
		: register('tie', '/mcafee/service/tie', Object.fromEntries(
			tie.topics().map(topic => [topic, onTie])))
}

function unregister (name) {
	return new Promise(resolve =>
		client.unregisterServiceAsync(services[name], resolve))
}

// Other commands than moods.
const settings = {
	mar: {
		fake: () => { mar.fake = true; mar.running = 1 },
		real: () => { mar.fake = false; mar.running = 0 },
		running: count => { mar.running = whole(count) },
		gives: rows => { mar.gives = rows === '' ? Infinity : whole(rows) },
		lags: pages => { mar.lags = whole(pages) },
		counts: () => { mar.counts = true },
		'counts-not': () => { mar.counts = false },
		rows: rows => {
			mar.rows = rows === ''
				? null
				: Object.hasOwn(MADE_UP, rows) ? rows : whole(rows)
		}
	},
	tie: {
		fake: () => { tie.twice = true; tie.unknown = 'error' },
		real: () => { tie.twice = false; tie.unknown = 'levels' },
		emit: name => tie.emit(name),
		publish: rest => {
			const [, topic, payload] = /^(\S+) ?(.*)$/.exec(rest)
			tie.broadcast(topic, payload)
		}
	}
}

async function obey (line) {
	const [, name, at, of, word, rest] =
		/^(mar|tie) (?:at (\S+) )?(?:of (\S+) )?(\S+) ?(.*)$/.exec(line) || []
	if (!name) throw new Error('unknown')
	if (word === 'gone') await unregister(name)
	else if (word === 'back') await registerAs(name)
	else if (Object.hasOwn(settings[name], word)) settings[name][word](rest)
	else if (Object.hasOwn(manners, word)) moods[name] = { mode: word, rest, at, of }
	else throw new Error('unknown')
}

async function main () {
	client = await connect(folder)
	if (strangerFolder) stranger = await connect(strangerFolder)
	client.addEventCallback(EXTERNAL, event =>
		tie.report(JSON.parse(String(event.payload))))
	await registerAs('mar')
	await registerAs('tie')
	print({
		at: 'ready',
		services: Object.fromEntries(Object.entries(services)
			.map(([name, info]) => [name, info.serviceId]))
	})
	for await (const line of readline.createInterface({ input: process.stdin })) {
		try {
			await obey(line)
			print({ at: 'done', command: line })
		} catch (error) {
			print({ at: 'error', command: line, error: error.message })
		}
	}
	process.exit(0)
}

main().catch(error => {
	process.stderr.write(error.stack + '\n')
	process.exit(1)
})
