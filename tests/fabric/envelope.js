// SPDX-License-Identifier: Apache-2.0
//
// A DXL message from bytes and back, as a broker does it: what does not parse
// there gives null here, and what is written has the newest version, strings
// in msgpack's old raw family, and integers at minimal width.
//
// Strings are kept as latin1, so that ids that are not UTF-8 keep their bytes;
// the payload is a Buffer.
'use strict'

const VERSION = 3
const REQUEST = 0
const RESPONSE = 1
const EVENT = 2
const ERROR = 3

class Reader {
	constructor (bytes) {
		this.bytes = bytes
		this.at = 0
	}

	get ended () {
		return this.at >= this.bytes.length
	}

	take (count) {
		if (count > this.bytes.length - this.at) throw new RangeError('truncated')
		this.at += count
		return this.bytes.subarray(this.at - count, this.at)
	}

	unsigned (width) {
		const bytes = this.take(width)
		return width === 8 ? bytes.readBigUInt64BE() : bytes.readUIntBE(0, width)
	}

	signed (width) {
		const bytes = this.take(width)
		return width === 8 ? bytes.readBigInt64BE() : bytes.readIntBE(0, width)
	}

	int () {
		const head = this.unsigned(1)
		if (head < 0x80) return head
		if (head >= 0xe0) return head - 0x100
		if (head >= 0xcc && head <= 0xcf) return this.unsigned(1 << (head - 0xcc))
		if (head >= 0xd0 && head <= 0xd3) return this.signed(1 << (head - 0xd0))
		throw new TypeError('no integer')
	}

	// The raw family: what msgpack now calls str.  Not bin, not nil.
	raw () {
		const head = this.unsigned(1)
		if ((head & 0xe0) === 0xa0) return this.take(head & 0x1f)
		if (head === 0xd9) return this.take(this.unsigned(1))
		if (head === 0xda) return this.take(this.unsigned(2))
		if (head === 0xdb) return this.take(this.unsigned(4))
		throw new TypeError('no string')
	}

	string () {
		return this.raw().toString('latin1').split('\0', 1)[0]
	}

	// An array; an element that is no string reads as an empty one.
	list () {
		const head = this.unsigned(1)
		let count
		if ((head & 0xf0) === 0x90) count = head & 0x0f
		else if (head === 0xdc) count = this.unsigned(2)
		else if (head === 0xdd) count = this.unsigned(4)
		else throw new TypeError('no array')
		const list = []
		while (count-- > 0) {
			const start = this.at
			try {
				list.push(this.string())
			} catch (error) {
				if (error instanceof RangeError) throw error
				this.at = start
				this.skip()
				list.push('')
			}
		}
		return list
	}

	skip () {
		const head = this.unsigned(1)
		if (head < 0x80 || head >= 0xe0 || (head >= 0xc0 && head <= 0xc3)) return
		if ((head & 0xf0) === 0x80) return this.skipMany(2 * (head & 0x0f))
		if ((head & 0xf0) === 0x90) return this.skipMany(head & 0x0f)
		if ((head & 0xe0) === 0xa0) return this.take(head & 0x1f)
		if (head >= 0xc4 && head <= 0xc6) {
			return this.take(this.unsigned(1 << (head - 0xc4)))
		}
		if (head >= 0xc7 && head <= 0xc9) {
			return this.take(this.unsigned(1 << (head - 0xc7)) + 1)
		}
		if (head === 0xca) return this.take(4)
		if (head === 0xcb) return this.take(8)
		if (head >= 0xcc && head <= 0xd3) return this.take(1 << (head & 3))
		if (head >= 0xd4 && head <= 0xd8) {
			return this.take((1 << (head - 0xd4)) + 1)
		}
		if (head >= 0xd9 && head <= 0xdb) {
			return this.take(this.unsigned(1 << (head - 0xd9)))
		}
		const count = this.unsigned(head & 1 ? 4 : 2) // dc to df
		return this.skipMany(head < 0xde ? count : 2 * count)
	}

	skipMany (count) {
		while (count-- > 0) this.skip()
	}
}

function read (bytes) {
	const reader = new Reader(bytes)
	const message = { version: reader.int(), type: reader.int() }
	if (message.version < 0 || message.type < REQUEST || message.type > ERROR) {
		throw new TypeError('no such message')
	}
	message.id = reader.string()
	message.sourceClientId = reader.string()
	message.sourceBrokerId = reader.string()
	message.brokerIds = reader.list()
	message.clientIds = reader.list()
	message.payload = reader.raw()
	if (message.type === REQUEST) {
		message.replyTo = reader.string()
		message.serviceId = reader.string()
	} else if (message.type !== EVENT) {
		message.requestId = reader.string()
		message.serviceId = reader.string()
	}
	if (message.type === ERROR) {
		message.errorCode = Number(BigInt.asIntN(32, BigInt(reader.int())))
		message.errorMessage = reader.string()
	}
	message.otherFields = message.version >= 1 ? reader.list() : []
	message.sourceTenantGuid = message.version >= 2 ? reader.string() : ''
	message.tenantGuids = message.version >= 2 ? reader.list() : []
	message.instanceId = message.version >= 3 ? reader.string() : ''
	return message // what follows is dropped
}

// decode BYTES: the message, or null if it is not one of DXL's
function decode (bytes) {
	try {
		return read(bytes)
	} catch (error) {
		return null
	}
}

function head (first, width, value) {
	const bytes = Buffer.alloc(1 + width)
	bytes[0] = first
	if (width > 0) bytes.writeUIntBE(value, 1, width)
	return bytes
}

function int (value) {
	if (value >= 0) {
		if (value < 0x80) return head(value, 0)
		if (value < 0x100) return head(0xcc, 1, value)
		if (value < 0x10000) return head(0xcd, 2, value)
		return head(0xce, 4, value)
	}
	if (value >= -0x20) return head(0x100 + value, 0)
	if (value >= -0x80) return head(0xd0, 1, value & 0xff)
	if (value >= -0x8000) return head(0xd1, 2, value & 0xffff)
	return head(0xd2, 4, value >>> 0)
}

function raw (bytes) {
	const length = bytes.length
	if (length < 0x20) return [head(0xa0 | length, 0), bytes]
	if (length < 0x10000) return [head(0xda, 2, length), bytes]
	return [head(0xdb, 4, length), bytes]
}

function string (text) {
	return raw(Buffer.from(text, 'latin1'))
}

function list (texts) {
	const count = texts.length
	const first = count < 0x10
		? head(0x90 | count, 0)
		: count < 0x10000 ? head(0xdc, 2, count) : head(0xdd, 4, count)
	return [first, ...texts.flatMap(string)]
}

// Between payload and otherFields.
function middle (message) {
	switch (message.type) {
	case REQUEST:
		return [...string(message.replyTo), ...string(message.serviceId)]
	case RESPONSE:
		return [...string(message.requestId), ...string(message.serviceId)]
	case ERROR:
		return [...string(message.requestId), ...string(message.serviceId),
			int(message.errorCode | 0), ...string(message.errorMessage)]
	default:
		return []
	}
}

function encode (message) {
	return Buffer.concat([
		int(VERSION), int(message.type),
		...string(message.id),
		...string(message.sourceClientId),
		...string(message.sourceBrokerId),
		...list(message.brokerIds),
		...list(message.clientIds),
		...raw(message.payload),
		...middle(message),
		...list(message.otherFields),
		...string(message.sourceTenantGuid),
		...list(message.tenantGuids),
		...string(message.instanceId)
	])
}

function pairs (fields) {
	const map = new Map()
	if (fields.length % 2 !== 0) return map
	for (let i = 0; i < fields.length; i += 2) map.set(fields[i], fields[i + 1])
	return map
}

// stamp MESSAGE SENDER: fills in who sent it, to which broker; CHAIN are the
// thumbprints of the sender's certificates, the leaf first
function stamp (message, { thumbprint, instance, chain, broker }) {
	message.sourceClientId = thumbprint
	message.sourceBrokerId = broker
	message.instanceId = instance
	message.sourceTenantGuid = ''
	const fields = pairs(message.otherFields)
	if (!fields.has('dxl.certs')) {
		fields.set('dxl.certs', chain.slice().reverse().join(';'))
	}
	// In no order that anybody could rely on.
	message.otherFields = Array.from(fields).reverse().flat()
}

module.exports = { REQUEST, RESPONSE, EVENT, ERROR, decode, encode, stamp, pairs }
