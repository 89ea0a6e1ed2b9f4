// SPDX-License-Identifier: Apache-2.0
//
// The answers of a TIE service: what it knows of a few files and a certificate.
'use strict'

const SERVICE = '/mcafee/service/tie/'
const BROADCAST = kind => `/mcafee/event/tie/${kind}/repchange/broadcast`
const EXTERNAL = '/mcafee/event/external/file/report'
const FILE_GTI = 1
const CERT_GTI = 2
const FILE_ENTERPRISE = 3
const CERT_ENTERPRISE = 4
const ATD = 5
const WEB_GATEWAY = 7
const OUTSIDE = 15
const UNKNOWN = 50

const agents = [
	{ agentGuid: '{3a6f574a-3e6f-436d-acd4-bcde336b054d}', date: 1475873692 },
	{ agentGuid: '{d48d3d1a-915e-11e6-323a-000c2992f5d9}', date: 1476316674 },
	{ agentGuid: '{68125cd6-a5d8-11e6-348e-000c29663178}', date: 1478626172 }
]

function reputation (providerId, trustLevel, createDate, attributes) {
	return attributes
		? { attributes, createDate, providerId, trustLevel }
		: { createDate, providerId, trustLevel }
}

function hexes (hashes) {
	return Object.entries(hashes).map(([type, value]) =>
		({ type, value: Buffer.from(value, 'hex').toString('base64') }))
}

// The files: notepad, as everybody knows it; one that everybody warns of, with
// all that the providers may say; and one that nobody has judged.
function laboratory () {
	return [{
		kind: 'file',
		hashes: hexes({
			md5: 'f2c7bb8acc97f92e987a2d4087d021b1',
			sha1: '7eb0139d2175739b3ccb0d1110067820be6abd29',
			sha256: '142e1d688ef0568370c37187fd9f2351' +
				'd7ddeda574f8bfa9b0fa4ef42db85aa2'
		}),
		reputations: [
			reputation(FILE_GTI, 99, 1451502875, { 2120340: '2139160704' }),
			reputation(FILE_ENTERPRISE, 0, 1451502875, {
				2101652: '17',
				2102165: '1451502875',
				2111893: '21',
				2114965: '0',
				2139285: '72339069014638857'
			})
		],
		agents,
		certificate: {
			hashes: hexes({
				md5: '31dbe8cc443d2ca7fd236ac00a52fb17',
				sha1: '2d6ca45061b7972312e00e5933fdff95bb90b61b',
				sha256: 'aa3c461d4c21a392e372d0d6ca4ceb1e' +
					'4d88098d587659454eaf4d93c661880f'
			}),
			publicKeySha1: 'Q139Rw9ydDfHy08Hy6H5ofQnJlY='
		}
	}, {
		kind: 'file',
		hashes: hexes({
			md5: 'daac6ba6967893ddea06ed132b781529',
			sha1: '3395856ce81f2b7382dee72602f798b642f14140',
			sha256: '275a021bbfb6489e54d471899f7db9d1' +
				'663fc695ec2fe2a2c4538aabf651fd0f'
		}),
		reputations: [
			reputation(FILE_GTI, 1, 1481219000, {
				2120340: '2139160704', 2101908: '1481210000', 2102421: '3'
			}),
			reputation(FILE_ENTERPRISE, 15, 1481219100, {
				2101652: '2',
				2102165: '1481219100',
				2111893: '21',
				2112148: '1',
				2112404: '70',
				2112660: '30',
				2112916: '50',
				2113172: '99',
				2113428: '85',
				2113685: '4',
				2113942: '1481219500',
				2114965: '2',
				2123156: '0',
				2138264: 'AQBjAGMAYwCsJg==',
				2138520: 'AgBjADIAMgDEHQ==',
				2139285: '72339069014638857'
			}),
			reputation(ATD, 1, 1481219200, {
				4194962: '5', 4195218: '4', 4195474: '-1', 4195730: '5',
				4197784: 'AAEC'
			}),
			reputation(WEB_GATEWAY, 30, 1481219300),
			reputation(OUTSIDE, 15, 1481219400)
		],
		agents: agents.slice(0, 1)
	}, {
		kind: 'file',
		hashes: hexes({
			sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
			md5: 'd41d8cd98f00b204e9800998ecf8427e',
			sha256: 'e3b0c44298fc1c149afbf4c8996fb924' +
				'27ae41e4649b934ca495991b7852b855'
		}),
		reputations: [
			reputation(FILE_GTI, UNKNOWN, 1481219000),
			reputation(FILE_ENTERPRISE, 0, 1481219000)
		],
		agents: []
	}, {
		kind: 'cert',
		hashes: hexes({ sha1: '6eae26db8c13182a7947982991b4321732cc3de2' }),
		publicKeySha1: 'O4ei1vOXcBYDZLeaFS/Mc7riet8=',
		reputations: [
			reputation(CERT_GTI, 99, 1476318514, {
				2108821: '94', 2109077: '1454912619', 2117524: '0', 2120596: '0'
			}),
			reputation(CERT_ENTERPRISE, 0, 1476318514, {
				2109333: '12', 2109589: '1476318514', 2139285: '73183493944770750'
			})
		],
		agents: [agents[0], agents[2]]
	}]
}

// An error response with that text.
class Failure extends Error {}

function now () {
	return Math.floor(Date.now() / 1000)
}

function copy (value) {
	return JSON.parse(JSON.stringify(value))
}

class Tie {
	// broadcast (topic, payload): publishes an event
	constructor (broadcast) {
		this.broadcast = broadcast
		this.unknown = 'error' // or 'levels': what real servers answer
		this.twice = false // a quirk of the public fake services
		this.subjects = laboratory()
	}

	topics () {
		return ['file', 'cert'].flatMap(kind =>
			['reputation', 'reputation/set', 'agents'].map(name =>
				`${SERVICE}${kind}/${name}`))
	}

	step (topic) {
		return topic.endsWith('/set') ? 'set' : topic.split('/').pop()
	}

	answer (topic, request) {
		const kind = topic.split('/')[4]
		switch (this.step(topic)) {
		case 'set':
			this.set(kind, request)
			return ''
		case 'agents':
			return this.agents(kind, request)
		default:
			return this.reputation(kind, request)
		}
	}

	find (kind, hashes) {
		return this.subjects.find(one => one.kind === kind &&
			one.hashes.some(known => hashes.some(({ type, value }) =>
				known.type === type && known.value === value)))
	}

	blank (kind, request) {
		const [gti, enterprise] = kind === 'file'
			? [FILE_GTI, FILE_ENTERPRISE]
			: [CERT_GTI, CERT_ENTERPRISE]
		return {
			kind,
			hashes: request.hashes,
			reputations: [reputation(gti, 0, now()),
				reputation(enterprise, UNKNOWN, now())],
			agents: []
		}
	}

	reputation (kind, request) {
		const one = this.find(kind, request.hashes) ||
			(this.unknown === 'levels' ? this.blank(kind, request) : null)
		if (!one) throw new Failure('Could not find reputation')
		return {
			props: { serverTime: now(), submitMetaData: 1 },
			reputations: one.reputations
		}
	}

	set (kind, request) {
		let one = this.find(kind, request.hashes)
		if (!one) {
			one = this.blank(kind, request)
			this.subjects.push(one)
		}
		this.change(one, request.providerId, request.trustLevel)
	}

	change (one, providerId, trustLevel) {
		const before = copy(one.reputations)
		let changed = one.reputations.find(each => each.providerId === providerId)
		if (!changed) {
			changed = reputation(providerId, trustLevel, now())
			one.reputations.push(changed)
		}
		Object.assign(changed, { trustLevel, createDate: now() })
		const after = copy(one.reputations)
		if (this.twice) after.push(copy(changed))
		const event = {
			hashes: one.hashes,
			oldReputations: { reputations: before },
			newReputations: { reputations: after },
			updateTime: now()
		}
		if (one.certificate) {
			event.relationships = { certificate: one.certificate }
		}
		if (one.publicKeySha1) event.publicKeySha1 = one.publicKeySha1
		this.broadcast(BROADCAST(one.kind), JSON.stringify(event))
	}

	agents (kind, request) {
		const one = this.find(kind, request.hashes)
		const all = one ? one.agents : []
		const some = all.slice(0, request.queryLimit || 100)
		return some.length < all.length
			? { agents: some, totalCount: all.length }
			: { agents: some }
	}

	// A report of somebody outside: an event, which gets no answer.
	report (event) {
		const { file, provider } = event
		const hashes = hexes(file.hashes)
		let one = this.find('file', hashes)
		if (!one) {
			one = this.blank('file', { hashes })
			this.subjects.push(one)
		}
		this.change(one, provider.id, file.reputation.score)
	}

	// emit NAME: an event that nobody asked for, of the first file
	emit (name) {
		const { hashes } = this.subjects[0]
		const agentGuid = agents[0].agentGuid
		const events = {
			detection: {
				agentGuid, detectionTime: now(), hashes, localReputation: 1,
				name: 'X.EXE', remediationAction: 5
			},
			firstinstance: { agentGuid, hashes, name: 'X.EXE' },
			prevalence: {
				agentGuid, hashes, agentFirstReference: now(), enterpriseCount: 3,
				prevalent: false
			}
		}
		this.broadcast('/mcafee/event/tie/file/' + name,
			JSON.stringify(events[name]))
	}
}

module.exports = { Tie, Failure, EXTERNAL }
