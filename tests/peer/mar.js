#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// A search in MAR by the public JavaScript client.
//
//	mar.js FOLDER BODY SORTBY DIRECTION
//
// FOLDER has a dxlclient.config, BODY is the JSON of a query.  Standard output,
// JSON lines: an item of the results in each, or {"error": TEXT}.
'use strict'

const path = require('path')
// The client talks on standard output, which is for our lines.
console.log = console.error
const dxl = require('@opendxl/dxl-client')
const { MarClient } = require('@opendxl/dxl-mar-client')

const [folder, body, sortBy, sortDirection] = process.argv.slice(2)
const { projections, condition } = JSON.parse(body)
const client = new dxl.Client(dxl.Config.createDxlConfigFromFile(
	path.join(folder, 'dxlclient.config')))

function print (line) {
	process.stdout.write(JSON.stringify(line) + '\n')
}

function end (error) {
	if (error) print({ error: error.message })
	client.destroy()
}

function read (context, offset) {
	if (offset >= context.resultCount) {
		end()
		return
	}
	context.getResults((error, page) => {
		if (error || page.items.length === 0) {
			end(error)
			return
		}
		page.items.forEach(print)
		read(context, offset + page.items.length)
	}, { offset, limit: 50, sortBy, sortDirection })
}

client.connect(() => {
	new MarClient(client).search(projections, condition,
		(error, context) => error ? end(error) : read(context, 0))
})
