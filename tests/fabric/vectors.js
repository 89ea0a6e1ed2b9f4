#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Does the stand-in make of each recorded message what the real broker made of
// it, and do its services answer as the recorded ones?
//
//	vectors.js FOLDER
//
// FOLDER is tests/data/dxl.  Prints a line for each that differs, and how many
// there were of each kind.
'use strict'

const assert = require('assert')
const fs = require('fs')
const path = require('path')
const dxl = require('./envelope')
const { Mar } = require('./mar')
const { Tie } = require('./tie')

const RECORDED = 1481219581000
Date.now = () => RECORDED
const folder = process.argv[2]
const counts = {}

function each (sub, pick, check) {
	for (const name of fs.readdirSync(path.join(folder, sub)).sort()) {
		if (!pick.test(name)) continue
		try {
			const read = file => fs.readFileSync(path.join(folder, sub, file))
			check(JSON.parse(read(name)), read)
			counts[sub] = (counts[sub] || 0) + 1
		} catch (error) {
			console.log(`${sub}/${name}: ${error.message}`)
		}
	}
}

// What a client sent, as the broker delivered it: but for the order of the
// other fields, to the byte.
each('broker', /^(python|js)-.*\.json$/, (vector, read) => {
	const message = dxl.decode(read(vector.sentVector))
	const certs = vector.otherFields[vector.otherFields.indexOf('dxl.certs') + 1]
	dxl.stamp(message, {
		thumbprint: vector.sourceClientId,
		instance: vector.sourceClientInstanceId,
		broker: vector.sourceBrokerId,
		chain: certs.split(';').reverse()
	})
	const bytes = text => Buffer.from(text).toString('latin1')
	const fields = vector.otherFields.map(bytes)
	assert.deepStrictEqual(new Map(Array.from(dxl.pairs(fields)).sort()),
		new Map(Array.from(dxl.pairs(message.otherFields)).sort()))
	message.otherFields = fields
	assert(dxl.encode(message).equals(read(vector.file)), 'other bytes')
})

// What a broker cannot read it does not touch.
each('js', /^event-v2-(payload-bin-.*|.*-buffer)\.json$/, (vector, read) =>
	assert.strictEqual(dxl.decode(read(vector.file)), null))
each('python', /^request-v2-reply-nil\.json$/, (vector, read) =>
	assert.strictEqual(dxl.decode(read(vector.file)), null))

// What it wrote itself reads and is written the same.
each('broker', /^(broker|error|registry|svc).*\.json$/, (vector, read) =>
	assert(dxl.encode(dxl.decode(read(vector.file))).equals(read(vector.file)),
		'other bytes'))

const payload = vector => Buffer.from(vector.payloadBase64, 'base64').toString()
const mar = new Mar()
mar.fake = true
mar.running = 1
let search
each('python/services', /^mar-.*-request\.json$/, (vector, read) => {
	const recorded = JSON.parse(payload(JSON.parse(
		read(vector.name.replace(/-request$/, '-response') + '.json'))))
	const request = JSON.parse(payload(vector))
	request.target = request.target.replace(/^\/v1\/[0-9a-f]{24}/, '/v1/' + search)
	const answer = mar.answer(request)
	if (answer.body.id) {
		search = answer.body.id
		answer.body.id = recorded.body.id
	}
	for (const item of [...answer.body.items || [], ...recorded.body.items || []]) {
		delete item.id // a repr() of Python
		delete item.created_at // the time of the recording
	}
	assert.deepStrictEqual(answer, recorded)
})

const events = []
const tie = new Tie((topic, text) => events.push([topic, JSON.parse(text)]))
tie.twice = true
each('python/services', /^tie-.*-request\.json$/, (vector, read) => {
	const base = vector.name.replace(/-request$/, '')
	const recorded = JSON.parse(read(base + '-response.json'))
	const request = JSON.parse(payload(vector))
	if (recorded.messageType === dxl.ERROR) {
		assert.throws(() => tie.answer(vector.publishTopic, request),
			{ message: recorded.errorMessage })
		return
	}
	const answer = tie.answer(vector.publishTopic, request)
	if (payload(recorded) === '') {
		const event = JSON.parse(read(base + '-event.json'))
		assert.strictEqual(answer, '')
		assert.deepStrictEqual(events.pop(),
			[event.publishTopic, JSON.parse(payload(event))])
		return
	}
	assert.deepStrictEqual(answer, JSON.parse(payload(recorded)))
})
each('python/services', /^tie-external.*-event\.json$/, vector => {
	tie.report(JSON.parse(payload(vector)))
	const [topic, event] = events.pop()
	assert.match(topic, /file\/repchange\/broadcast$/)
	assert.strictEqual(event.newReputations.reputations
		.find(one => one.providerId === 15).trustLevel, 99)
})

console.log(JSON.stringify(counts))
