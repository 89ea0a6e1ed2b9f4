#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// A broker that ends each connection whose client sends on before it was
// accepted, without a word, as one does whose refusal is lost in a reset.
//
//	curt.js FOLDER refuse|accept|leave
//
// FOLDER has ca.crt, server.crt and server.key.  It prints {"at": "ready",
// "port": N} when it listens on 127.0.0.1, {"at": "hasty"} for each such
// connection, and {"at": "patient"} for each that waited: that is refused with
// return code 5 (MQTT 3.1.1, table 3.1), or goes on with aedes.  One that is to
// leave ends the second connection before TLS begins, prints {"at": "left"}, and
// listens no more.
'use strict'

const fs = require('fs')
const tls = require('tls')
const Aedes = require('aedes')
const mqtt = require('mqtt-packet')

const PATIENCE = 300 // ms: what is sent on is there by then
const [folder, mode] = process.argv.slice(2)
const file = name => fs.readFileSync(`${folder}/${name}`)
const broker = new Aedes()
let connections = 0

function print (line) {
	process.stdout.write(JSON.stringify(line) + '\n')
}

function answer (socket, bytes) {
	print({ at: 'patient' })
	if (mode === 'refuse') {
		socket.end(mqtt.generate({ cmd: 'connack', returnCode: 5 }))
	} else {
		socket.pause()
		socket.unshift(bytes)
		broker.handle(socket)
	}
}

function accept (socket) {
	const parser = mqtt.parser({ protocolVersion: 4 })
	const isFirst = connections++ === 0
	let bytes = Buffer.alloc(0)
	let packets = 0
	let timer

	socket.on('error', () => {})
	parser.on('packet', () => {
		if (++packets === 1 && !isFirst) {
			timer = setTimeout(() => {
				socket.removeListener('data', take)
				answer(socket, bytes)
			}, PATIENCE)
		} else if (packets === 2) {
			clearTimeout(timer)
			print({ at: 'hasty' })
			socket.destroy()
		}
	})
	function take (chunk) {
		bytes = Buffer.concat([bytes, chunk])
		parser.parse(chunk)
	}
	socket.on('data', take)
	socket.on('close', () => clearTimeout(timer))
}

const server = tls.createServer({
	ca: file('ca.crt'),
	cert: file('server.crt'),
	key: file('server.key'),
	requestCert: true
}, accept)
server.on('connection', socket => {
	if (mode !== 'leave' || connections === 0) return
	socket.destroy()
	server.close()
	print({ at: 'left' })
})
server.listen(0, '127.0.0.1', () =>
	print({ at: 'ready', port: server.address().port }))
