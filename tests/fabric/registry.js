// SPDX-License-Identifier: Apache-2.0
//
// The services that are registered in the fabric, and whose turn it is.
'use strict'

const PREFIX = 'eventToRequestPrefix'
const MAPPED = 'eventToRequestTopic'

// channelsFor TOPIC: where to look for it, in this order
function * channelsFor (topic) {
	yield topic
	for (let at = topic.lastIndexOf('/'); at >= 0;
		at = at === 0 ? -1 : topic.lastIndexOf('/', at - 1)) {
		yield topic.slice(0, at) + '/#'
	}
}

class Registry {
	// A registered service lives for its ttlMins of MINUTE milliseconds.
	constructor (minute) {
		this.minute = minute
		this.services = new Map()
		this.turns = new Map()
	}

	add (service) {
		this.services.set(service.serviceGuid, service)
	}

	remove (guid) {
		return this.services.delete(guid)
	}

	// TTLs are looked at when somebody asks, and have no grace here.
	alive (service) {
		if (Date.now() - service.registered < service.ttlMins * this.minute) {
			return true
		}
		this.remove(service.serviceGuid)
		return false
	}

	all () {
		return Array.from(this.services.values()).filter(one => this.alive(one))
	}

	get (guid) {
		const service = this.services.get(guid)
		return service && this.alive(service) ? service : undefined
	}

	// The next one for that topic, or undefined.
	next (topic) {
		const services = this.all()
		for (const channel of channelsFor(topic)) {
			const able = services.filter(one =>
				one.requestChannels.includes(channel) &&
				!one.unauthorizedChannels.includes(channel))
			if (able.length > 0) {
				const turn = this.turns.get(channel) || 0
				this.turns.set(channel, turn + 1)
				return able[turn % able.length]
			}
		}
		return undefined
	}

	// The requests that an event on TOPIC becomes: [service, topic of it].
	mapped (topic) {
		const channels = Array.from(channelsFor(topic))
		return this.all().filter(one => typeof one.metaData[PREFIX] === 'string' &&
			Object.keys(one.metaData).some(key => key.startsWith(MAPPED) &&
				channels.includes(one.metaData[key])))
			.map(one => [one, one.metaData[PREFIX] + topic])
	}
}

module.exports = { Registry }
