// SPDX-License-Identifier: Apache-2.0
//
// One broker of the stand-in: aedes behind TLS and a gate, with the hooks that
// make a DXL broker of it.
'use strict'

const crypto = require('crypto')
const fs = require('fs')
const net = require('net')
const tls = require('tls')
const Aedes = require('aedes')
const { Doorman, judge } = require('./doorman')
const { answer, exists, json, EVERYWHERE } = require('./answers')
const { Gate } = require('./gate')
const { Policy } = require('./policy')
const dxl = require('./envelope')

const SERVICES = '/mcafee/service/dxl/'
const EVENTS = '/mcafee/event/dxl/'
const CLIENT = '/mcafee/client/'
const REVOCATIONS = EVENTS + 'revocation/list'
const NOT_FOR_CLIENTS = ['brokerregistry/brokerstate',
	'brokerregistry/brokerstatetopics', 'brokerregistry/topicadded',
	'brokerregistry/topicremoved', 'clientregistry/connect', 'fabricchange',
	'svcregistry/register', 'svcregistry/unregister'].map(name => EVENTS + name)
const NOT_FOUND = [0x80000001, 'unable to locate service for request']
const OVERLOADED = [0x80000002, 'service is overloaded']
const CIPHERS = 'ECDH+AESGCM:DH+AESGCM:ECDH+AES256:DH+AES256:ECDH+AES128:' +
	'DH+AES:RSA+AESGCM:CAMELLIA:RSA+AES:!3DES:!aNULL:!MD5'

// matches FILTER TOPIC: as MQTT has it
function matches (filter, topic) {
	const parts = filter.split('/')
	const levels = topic.split('/')
	if (/^[+#]/.test(filter) && topic.startsWith('$')) return false
	for (let i = 0; i < parts.length; i++) {
		if (parts[i] === '#') return true
		if (i >= levels.length) return false
		if (parts[i] !== '+' && parts[i] !== levels[i]) return false
	}
	return parts.length === levels.length
}

// The thumbprints of a verified chain, the leaf first.
function thumbprints (certificate) {
	const chain = []
	for (let one = certificate; one && one.fingerprint;
		one = one.issuerCertificate) {
		const thumbprint = one.fingerprint.replace(/:/g, '').toLowerCase()
		if (chain.includes(thumbprint)) break
		chain.push(thumbprint)
	}
	return chain
}

class Session {
	constructor (broker, socket, gate) {
		this.broker = broker
		this.gate = gate
		// Who resumes a TLS session is nobody to the broker.
		this.chain = socket.isSessionReused()
			? []
			: thumbprints(socket.getPeerCertificate(true))
		this.thumbprint = this.chain[0] || crypto.randomUUID()
		this.instance = `${this.thumbprint}:${crypto.randomUUID()}`
		this.client = null
	}

	is (id) {
		return id === this.thumbprint || id === this.instance
	}

	filters () {
		return this.client === null ? [] : Object.keys(this.client.subscriptions)
	}

	subscribed (topic) {
		return this.filters().filter(filter => matches(filter, topic)).length
	}

	mayReceive (topic) {
		return this.broker.policy.allows('receive', topic, this.chain)
	}
}

class Broker {
	constructor (fabric, folder, options) {
		this.fabric = fabric
		this.says = {} // in the place of its answers
		this.folder = folder
		this.options = options
		this.guid = crypto.randomUUID()
		this.port = options.port
		this.sessions = new Set()
		this.known = new Set()
		this.changes = 0
		this.up = false
	}

	get nowhere () {
		return `$SYS/${this.guid}/nowhere` // withheld from everybody
	}

	start () {
		const file = name => fs.readFileSync(`${this.folder}/${name}`)
		this.policy = new Policy(this.options.policy)
		this.startTime = Math.floor(Date.now() / 1000)
		this.aedes = new Aedes({
			id: this.guid,
			concurrency: 1000000,
			queueLimit: 1000000,
			maxClientsIdLength: 100,
			authorizePublish: (client, packet, done) => {
				this.publish(client.conn.session, packet)
				done(null)
			},
			authorizeForward: (client, packet) =>
				this.forward(client.conn.session, packet)
		})
		this.aedes.on('subscribe', (subscriptions, client) =>
			this.subscribed(client, subscriptions))
		this.aedes.on('unsubscribe', () => this.unsubscribed())
		this.aedes.on('clientError', () => {})
		this.aedes.on('connectionError', () => {})
		this.tls = tls.createServer({
			ca: file('ca.crt'),
			cert: file('server.crt'),
			key: file('server.key'),
			minVersion: 'TLSv1.2',
			maxVersion: 'TLSv1.2',
			ciphers: CIPHERS,
			honorCipherOrder: true,
			requestCert: true,
			rejectUnauthorized: true
		}, socket => this.accept(socket))
		this.tls.on('tlsClientError', (error, socket) => {
			this.fabric.log({ refused: error.code || error.message })
			socket.destroy()
		})
		const authorities = [new crypto.X509Certificate(file('ca.crt'))]
		this.server = net.createServer({ noDelay: true }, socket =>
			this.tls.emit('connection', new Doorman(socket, chain =>
				this.judge(chain, authorities))))
		return new Promise((resolve, reject) => {
			this.server.on('error', reject)
			this.server.listen(this.port, '127.0.0.1', () => {
				this.port = this.server.address().port
				this.up = true
				resolve()
			})
		})
	}

	judge (chain, authorities) {
		const alert = judge(chain, authorities, this.fabric.revoked)
		if (alert !== 0) this.fabric.log({ alert, subject: chain[0].subject })
		return alert
	}

	stop () {
		this.up = false
		for (const session of this.sessions) session.gate.cut()
		this.aedes.close()
		return new Promise(resolve => this.server.close(resolve))
	}

	accept (socket) {
		const { connections, size } = this.options
		const gate = new Gate(socket, size, () =>
			connections > 0 && this.sessions.size > connections)
		const session = new Session(this, socket, gate)
		gate.session = session
		this.sessions.add(session)
		gate.on('close', () => this.sessions.delete(session))
		session.client = this.aedes.handle(gate)
		// Two subscriptions that match are two copies.
		session.client.duplicates = new Proxy({}, {
			get: () => 0,
			set: () => true
		})
	}

	// find ID: the sessions with that thumbprint or instance id
	find (id) {
		return Array.from(this.sessions).filter(session => session.is(id))
	}

	topics () {
		return Array.from(new Set(Array.from(this.sessions)
			.flatMap(session => session.filters())
			.filter(topic => !topic.startsWith(CLIENT + '{'))))
	}

	subscriptions (topic) {
		return Array.from(this.sessions)
			.reduce((sum, session) => sum + session.subscribed(topic), 0)
	}

	subscribed (client, subscriptions) {
		for (const { topic } of subscriptions) {
			if (this.known.has(topic) || topic.startsWith(CLIENT + '{')) continue
			this.known.add(topic)
			this.tell('brokerregistry/topicadded', { topic }, this.change())
		}
	}

	unsubscribed () {
		const left = new Set(this.topics())
		for (const topic of this.known) {
			if (left.has(topic)) continue
			this.known.delete(topic)
			this.tell('brokerregistry/topicremoved', { topic }, this.change())
		}
	}

	change () {
		return ['changeCount', String(++this.changes),
			'startTime', String(this.startTime)]
	}

	// A message of this broker's own.
	message (type, more) {
		return {
			type,
			id: crypto.randomUUID(),
			sourceClientId: this.guid,
			sourceBrokerId: this.guid,
			brokerIds: [],
			clientIds: [],
			payload: Buffer.alloc(0),
			otherFields: [],
			sourceTenantGuid: '',
			tenantGuids: [],
			instanceId: this.guid,
			...more
		}
	}

	tell (name, payload, otherFields = []) {
		if (!this.up) return
		this.spread(EVENTS + name, this.message(dxl.EVENT, {
			payload: Buffer.from(json(payload)), otherFields
		}))
	}

	reply (request, type, more) {
		const topic = Buffer.from(request.replyTo, 'latin1').toString()
		if (topic === '' || /[+#]/.test(topic)) return
		this.spread(topic, this.message(type, {
			brokerIds: [request.sourceBrokerId],
			clientIds: [request.instanceId],
			requestId: request.id,
			serviceId: request.serviceId,
			...more
		}))
	}

	fail (request, [errorCode, errorMessage]) {
		this.fabric.log({ error: errorMessage, service: request.serviceId })
		this.reply(request, dxl.ERROR, { errorCode, errorMessage })
		if (errorCode === NOT_FOUND[0]) this.unregister(request.serviceId)
	}

	unregister (guid) {
		if (this.fabric.registry.remove(guid)) {
			this.tell('svcregistry/unregister', { serviceGuid: guid })
		}
	}

	// To everybody in the fabric who may have it.
	spread (topic, message) {
		const payload = dxl.encode(message)
		for (const broker of this.fabric.reach(this)) {
			broker.deliver(topic, payload, message)
		}
	}

	deliver (topic, payload, message) {
		if (message && !this.named(message)) return
		if (message) this.fabric.messages.set(payload, message)
		this.aedes.publish({
			cmd: 'publish', topic, payload, qos: 0, retain: false
		}, () => {})
	}

	named (message) {
		return message.brokerIds.length === 0 ||
			message.brokerIds.includes(this.guid)
	}

	// What a client of ours publishes: PACKET becomes what our clients get, and
	// the other brokers have it.
	publish (session, packet) {
		const { topic, payload } = packet
		packet.retain = false
		packet.qos = 0
		if (!this.policy.allows('send', topic, session.chain) ||
			NOT_FOR_CLIENTS.includes(topic)) {
			this.fabric.log({ denied: topic, client: session.thumbprint })
			packet.topic = this.nowhere
			return
		}
		const message = dxl.decode(payload)
		if (message === null) { // plain MQTT
			for (const broker of this.fabric.reach(this)) {
				if (broker !== this) broker.deliver(topic, Buffer.from(payload), null)
			}
			return
		}
		dxl.stamp(message, { ...session, broker: this.guid })
		if (!this.handle(session, topic, message)) {
			packet.topic = this.nowhere
			return
		}
		packet.payload = dxl.encode(message)
		this.fabric.messages.set(packet.payload, message)
		for (const broker of this.fabric.reach(this)) {
			if (broker !== this) broker.deliver(topic, packet.payload, message)
		}
		if (!this.named(message)) packet.topic = this.nowhere
	}

	// Is it to be delivered as it is now?
	handle (session, topic, message) {
		switch (message.type) {
		case dxl.REQUEST:
			if (topic.startsWith(SERVICES)) {
				this.answer(session, topic.slice(SERVICES.length), message)
				return false
			}
			return this.route(topic, message)
		case dxl.ERROR:
			if (message.errorCode === (NOT_FOUND[0] | 0) && message.serviceId) {
				this.unregister(message.serviceId)
			}
			return true
		case dxl.EVENT:
			if (topic === REVOCATIONS) {
				this.fabric.revoke(message.payload.toString().split(/\s+/))
			}
			this.asRequests(topic, message)
			return true
		default:
			return true
		}
	}

	answer (session, name, request) {
		if (!exists(name)) {
			this.fail(request, NOT_FOUND)
			return
		}
		for (const broker of this.fabric.reach(this)) {
			if (!broker.named(request)) continue
			if (broker !== this && request.brokerIds.length === 0 &&
				!EVERYWHERE.includes(name)) continue
			const text = Object.hasOwn(broker.says, name)
				? broker.says[name]
				: answer(name, broker, broker === this ? session : null,
					request.payload)
			if (text === undefined) continue
			broker.reply(request, dxl.RESPONSE, { payload: Buffer.from(text) })
		}
	}

	route (topic, request) {
		if (request.serviceId === '' || request.clientIds.length === 0 ||
			request.brokerIds.length === 0) {
			const service = request.serviceId
				? this.fabric.registry.get(request.serviceId)
				: this.fabric.registry.next(topic)
			if (!service) {
				this.fail(request, NOT_FOUND)
				return false
			}
			request.brokerIds = [service.broker.guid]
			request.clientIds = [service.clientInstanceGuid]
			request.serviceId = service.serviceGuid
		}
		const takers = this.takers(topic, request)
		if (takers.length === 0) {
			this.fail(request, NOT_FOUND)
			return false
		}
		if (this.fabric.overloaded.has(topic) ||
			takers.every(one => one.gate.queued >= one.broker.options.queue)) {
			this.fail(request, OVERLOADED)
			return false
		}
		return true
	}

	// The sessions that a message would reach.
	takers (topic, message) {
		return this.fabric.reach(this).filter(broker => broker.named(message))
			.flatMap(broker => Array.from(broker.sessions))
			.filter(session => message.clientIds.some(id => session.is(id)) &&
				session.subscribed(topic) > 0 && session.mayReceive(topic))
	}

	// Services may ask for an event as a request.
	asRequests (topic, event) {
		for (const [service, requestTopic] of
			this.fabric.registry.mapped(topic)) {
			this.spread(requestTopic, {
				...event,
				type: dxl.REQUEST,
				brokerIds: [service.broker.guid],
				clientIds: [service.clientInstanceGuid],
				replyTo: CLIENT + event.sourceClientId,
				serviceId: service.serviceGuid,
				otherFields: []
			})
		}
	}

	// What SESSION gets of a message that it is subscribed to, or null.
	forward (session, packet) {
		if (!session || packet.topic.startsWith(`$SYS/${this.guid}/`) ||
			!session.mayReceive(packet.topic)) return null
		if (session.gate.queued >= this.options.queue &&
			!packet.topic.startsWith(CLIENT)) return null
		const message = this.fabric.messages.get(packet.payload)
		if (message && message.clientIds.length > 0) {
			if (!message.clientIds.some(id => session.is(id))) return null
			if (message.type === dxl.EVENT) {
				message.bare ||= dxl.encode({ ...message, clientIds: [] })
				packet = { ...packet, payload: message.bare }
			}
		}
		session.gate.queued++
		return packet
	}
}

module.exports = { Broker }
