// SPDX-License-Identifier: Apache-2.0
//
// topicauth.policy: who may send and receive on which topics.
'use strict'

const fs = require('fs')

// Lines of // are comments there; what is inside of strings is not one.
function uncomment (text) {
	return text.replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*/g, '$1')
}

function covers (entry, topic) {
	return entry.endsWith('/#')
		? topic.startsWith(entry.slice(0, -1))
		: entry === topic
}

class Policy {
	constructor (file) {
		const policy = file ? JSON.parse(uncomment(fs.readFileSync(file, 'utf8'))) : {}
		this.send = policy.send || []
		this.receive = policy.receive || []
	}

	// allows RIGHT TOPIC IDS: IDS are the thumbprints of a client's chain
	allows (right, topic, ids) {
		const entries = this[right].filter(entry => covers(entry.topic, topic))
		return entries.length === 0 || entries.some(entry =>
			entry.clients.some(client => ids.includes(client)))
	}
}

module.exports = { Policy }
