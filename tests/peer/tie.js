#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Asks a TIE server with the public JavaScript client.
//
//	tie.js FOLDER file|agents HASH…
//	tie.js FOLDER cert|certagents SHA1 [PUBLIC-KEY-SHA1]
//	tie.js FOLDER set LEVEL HASH…
//
// FOLDER has a dxlclient.config; hashes are in hex.  Prints what came as a line
// of JSON: of reputations {provider: [trust, created], …} by their numbers, of
// systems [[guid, first], …], or {"error": TEXT}.
'use strict'

const path = require('path')
// The client talks on standard output, which is for our lines.
console.log = console.error
const dxl = require('@opendxl/dxl-client')
const { TieClient } = require('@opendxl/dxl-tie-client')

const [folder, command, ...rest] = process.argv.slice(2)

function hashesOf (list) {
	const names = { 32: 'md5', 40: 'sha1', 64: 'sha256' }
	return Object.fromEntries(list.map(hash => [names[hash.length], hash]))
}

function reputations (all) {
	return Object.fromEntries(Object.entries(all).map(([provider, one]) =>
		[provider, [one.trustLevel, one.createDate]]))
}

function systems (all) {
	return all.map(one => [one.agentGuid, one.date])
}

function end (client, result) {
	process.stdout.write(JSON.stringify(result) + '\n', () => {
		client.destroy()
		process.exit(0)
	})
}

const client = new dxl.Client(dxl.Config.createDxlConfigFromFile(
	path.join(folder, 'dxlclient.config')))
client.connect(() => {
	const tie = new TieClient(client)
	const told = transform => (error, answer) => end(client,
		error ? { error: error.message } : transform(answer))
	switch (command) {
	case 'file':
		tie.getFileReputation(told(reputations), hashesOf(rest))
		break
	case 'agents':
		tie.getFileFirstReferences(told(systems), hashesOf(rest))
		break
	case 'cert':
		tie.getCertificateReputation(told(reputations), ...rest)
		break
	case 'certagents':
		tie.getCertificateFirstReferences(told(systems), ...rest)
		break
	case 'set':
		tie.setFileReputation(told(() => 'set'), +rest[0],
			hashesOf(rest.slice(1)), 'x.exe', 'because')
		break
	}
})
