// SPDX-License-Identifier: Apache-2.0
//
// What a broker answers itself: the requests under /mcafee/service/dxl/.
// Each gets (broker, session of the client if it is ours, request as JSON) and
// gives the text of the answer, or undefined for none at all.
'use strict'

const VERSION = '6.0.1.177'

// JSON as the broker writes it: compact, keys sorted, a line feed at its end.
function json (value) {
	return JSON.stringify(sorted(value)) + '\n'
}

function sorted (value) {
	if (Array.isArray(value)) return value.map(sorted)
	if (value === null || typeof value !== 'object') return value
	return Object.fromEntries(Object.keys(value).sort()
		.map(key => [key, sorted(value[key])]))
}

function brokerEntry (broker) {
	const links = broker.fabric.reach(broker).filter(one => one !== broker)
		.map(one => one.guid)
	const first = broker.fabric.brokers[0] === broker
	return {
		bridgeChildren: first ? links : [],
		bridges: first ? [] : links.slice(0, 1),
		connectionLimit: broker.options.connections,
		guid: broker.guid,
		hostname: 'localhost',
		policyHostname: '',
		policyHub: '',
		policyIpAddress: '',
		policyPort: 0,
		port: broker.port,
		startTime: broker.startTime,
		topicRouting: true,
		ttlMins: 60,
		version: VERSION,
		webSocketPort: 443
	}
}

function known (broker, guid) {
	return broker.fabric.reach(broker)
		.filter(one => guid === undefined || one.guid === guid)
}

function serviceEntry (broker, service) {
	return {
		brokerGuid: service.broker.guid,
		certificates: service.certificates,
		clientGuid: service.clientGuid,
		clientInstanceGuid: service.clientInstanceGuid,
		local: service.broker === broker,
		managed: false,
		metaData: service.metaData,
		registrationTime: Math.floor(service.registered / 1000),
		requestChannels: service.requestChannels,
		serviceGuid: service.serviceGuid,
		serviceType: service.serviceType,
		ttlMins: service.ttlMins,
		unauthorizedChannels: service.unauthorizedChannels
	}
}

function texts (value) {
	return Array.isArray(value) && value.every(one => typeof one === 'string')
		? value
		: []
}

function object (value) {
	return value !== null && typeof value === 'object' && !Array.isArray(value)
		? value
		: {}
}

const answers = {
	'svcregistry/register': (broker, session, asked) => {
		if (!session || typeof asked.serviceGuid !== 'string') return undefined
		const channels = texts(asked.requestChannels)
		const service = {
			broker,
			session,
			certificates: session.chain,
			clientGuid: session.thumbprint,
			clientInstanceGuid: session.instance,
			metaData: object(asked.metaData),
			registered: Date.now(),
			requestChannels: channels,
			serviceGuid: asked.serviceGuid,
			serviceType: String(asked.serviceType || ''),
			ttlMins: Number(asked.ttlMins) || 60,
			unauthorizedChannels: channels.filter(channel =>
				!broker.policy.allows('receive', channel, session.chain))
		}
		broker.fabric.registry.add(service)
		broker.tell('svcregistry/register', serviceEntry(broker, service))
		return ''
	},
	'svcregistry/unregister': (broker, session, asked) => {
		const service = broker.fabric.registry.get(asked.serviceGuid)
		if (service && session && service.clientGuid === session.thumbprint) {
			broker.unregister(service.serviceGuid)
		}
		return ''
	},
	'svcregistry/query': (broker, session, asked) => {
		const services = broker.fabric.registry.all().filter(one =>
			(asked.serviceType === undefined ||
				one.serviceType === asked.serviceType) &&
			(asked.serviceGuid === undefined ||
				one.serviceGuid === asked.serviceGuid))
		return json({
			services: Object.fromEntries(services.map(one =>
				[one.serviceGuid, serviceEntry(broker, one)]))
		})
	},
	'brokerregistry/query': (broker, session, asked) => json({
		brokers: Object.fromEntries(known(broker, asked.brokerGuid)
			.map(one => [one.guid, brokerEntry(one)]))
	}),
	'brokerregistry/topicquery': (broker, session, asked) => {
		const guid = asked.brokerGuid === undefined
			? broker.guid
			: asked.brokerGuid
		const named = known(broker, guid)
		const topics = new Set(named.flatMap(one => one.topics()))
		return json({
			count: topics.size,
			exists: named.length > 0 &&
				texts(asked.topics).every(topic => topics.has(topic))
		})
	},
	'broker/subs': (broker, session, asked) => {
		if (typeof asked.topic !== 'string' || asked.topic === '') {
			return undefined
		}
		return json({ count: broker.subscriptions(asked.topic) })
	},
	// The broker writes rates with a fraction, which JSON.stringify does not.
	'broker/health': broker => '{"connectedClients":' + broker.sessions.size +
		',"incomingMessages":0.0,"localServiceCounter":' +
		broker.fabric.registry.all().filter(one => one.broker === broker).length +
		`,"outgoingMessages":0.0,"startTime":${broker.startTime}}\n`,
	'clientregistry/query': (broker, session, asked) =>
		broker.find(asked.clientGuid).length > 0 ? json({}) : undefined
}

// These every broker answers, the others only the one that was asked.
const EVERYWHERE = ['broker/subs', 'broker/health', 'clientregistry/query']

function parse (payload) {
	try {
		const value = JSON.parse(payload.toString().replace(/[\0\n]+$/, ''))
		return value !== null && typeof value === 'object' ? value : undefined
	} catch (error) {
		return undefined
	}
}

// answer NAME …: what that broker has to say to it
function answer (name, broker, session, payload) {
	const asked = parse(payload)
	if (asked === undefined && name !== 'broker/health') return undefined
	return answers[name](broker, session, asked)
}

function exists (name) {
	return Object.hasOwn(answers, name)
}

module.exports = { answer, exists, json, EVERYWHERE }
