#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// A long way to a broker: a TCP proxy on a free port of 127.0.0.1, which leads
// to TARGET-PORT there and holds all bytes back for MS in each direction.
//
//	delay.js TARGET-PORT MS
//
// It prints its port when it listens.
'use strict'

const net = require('net')

const [target, ms] = process.argv.slice(2).map(Number)

function lead (from, to) {
	from.on('data', bytes => setTimeout(() => to.write(bytes), ms))
	from.on('end', () => setTimeout(() => to.end(), ms))
	from.on('error', () => to.destroy())
	from.on('close', () => setTimeout(() => to.destroy(), ms))
}

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, here => {
	const there = net.connect({
		host: '127.0.0.1', port: target, allowHalfOpen: true, noDelay: true
	})
	lead(here, there)
	lead(there, here)
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
