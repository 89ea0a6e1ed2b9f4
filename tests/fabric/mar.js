// SPDX-License-Identifier: Apache-2.0
//
// The answers of a MAR service: searches over a small laboratory, or, as
// "fake", those of the public fake services, which know two projections and
// ignore conditions.
'use strict'

const crypto = require('crypto')

const TOPIC = '/mcafee/mar/service/api/search'
const MADE = '2026-11-10T21:37:43Z'
const NOTEPAD = {
	md5: 'f2c7bb8acc97f92e987a2d4087d021b1',
	sha1: '7eb0139d2175739b3ccb0d1110067820be6abd29',
	sha256: '142e1d688ef0568370c37187fd9f2351' +
		'd7ddeda574f8bfa9b0fa4ef42db85aa2'
}
const DROPPER = {
	md5: 'daac6ba6967893ddea06ed132b781529',
	sha1: '3395856ce81f2b7382dee72602f798b642f14140',
	sha256: '275a021bbfb6489e54d471899f7db9d1' +
		'663fc695ec2fe2a2c4538aabf651fd0f'
}
const NAMES = ['MARService.exe', 'OneDrive.exe', 'RuntimeBroker.exe',
	'SearchIndexer.exe', 'SearchUI.exe', 'ShellExperienceHost.exe',
	'SkypeHost.exe', 'System', 'UpdaterUI.exe', 'VGAuthService.exe',
	'WUDFHost.exe', 'WmiApSrv.exe', 'WmiPrvSE.exe', 'WmiPrvSE.exe',
	'[System Process]']

function file (folder, name, hashes, size, created) {
	return {
		name, dir: folder,
		full_name: folder + (folder.startsWith('/') ? '/' : '\\') + name,
		...hashes, size,
		status: 'current', created_at: created, last_write: created
	}
}

function processes (names) {
	return names.map((name, i) => ({
		name,
		id: String(100 + 4 * i),
		threadcount: String(3 + i % 5),
		size: String(20000 * (i + 1)),
		cmdline: `C:\\Windows\\${name} -k "x"`,
		user: i % 3 === 0 ? 'SYSTEM' : 'alice'
	}))
}

function host (hostname, address, os, files, names) {
	return {
		HostInfo: [{
			hostname, ip_address: address, os, connection_status: 'online',
			platform: os.startsWith('Windows') ? 'windows' : 'linux'
		}],
		Files: files,
		Processes: processes(names),
		NetworkFlow: [{
			src_ip: address, src_port: '49152', dst_ip: '192.0.2.7',
			dst_port: '443', proto: 'tcp', status: 'CONNECTED', direction: 'out',
			time: '2026-11-09 08:15:00'
		}],
		InteractiveSessions: [{ userid: 'S-1-5-21-1001', name: 'alice' }]
	}
}

// What stands in for an enterprise.
const LABORATORY = [
	host('pc1', '192.168.130.152', 'Windows 10', [
		file('C:\\Windows\\System32', 'notepad.exe', NOTEPAD, '193536',
			'2016-07-16 11:43:51'),
		file('C:\\Users\\alice\\Downloads', 'invoice.exe', DROPPER, '68',
			'2026-11-09 08:14:02')
	], NAMES),
	host('pc2', '192.168.130.133', 'Windows 10', [
		file('C:\\Windows\\System32', 'notepad.exe', NOTEPAD, '193536',
			'2016-07-16 11:43:51')
	], ['System', 'WmiPrvSE.exe', 'csrss.exe', 'evil.exe']),
	host('db7', '2001:db8::7', 'Linux 6.1', [
		file('/tmp', 'naïve 漢字', DROPPER, '68', '2026-11-09 09:00:00')
	], ['systemd', 'postgres'])
]

const COMPARE = {
	EQUALS: (a, b) => a.toLowerCase() === b.toLowerCase(),
	CONTAINS: (a, b) => a.toLowerCase().includes(b.toLowerCase()),
	STARTS_WITH: (a, b) => a.toLowerCase().startsWith(b.toLowerCase()),
	ENDS_WITH: (a, b) => a.toLowerCase().endsWith(b.toLowerCase()),
	GREATER_THAN: (a, b) => Number(a) > Number(b),
	GREATER_EQUAL_THAN: (a, b) => Number(a) >= Number(b),
	LESS_THAN: (a, b) => Number(a) < Number(b),
	LESS_EQUAL_THAN: (a, b) => Number(a) <= Number(b),
	BEFORE: (a, b) => a < b,
	AFTER: (a, b) => a > b
}

class Refusal extends Error {
	constructor (code, message) {
		super(message)
		this.code = code
	}
}

// One row of each collector: {Collector: row}
function * combinations (one, collectors) {
	if (collectors.length === 0) {
		yield {}
		return
	}
	const [first, ...others] = collectors
	for (const rest of combinations(one, others)) {
		for (const row of one[first]) yield { ...rest, [first]: row }
	}
}

function holds (rows, comparison) {
	const value = (rows[comparison.name] || {})[comparison.output]
	if (value === undefined) {
		throw new Refusal(400,
			`Unknown output ${comparison.name} ${comparison.output}`)
	}
	const compare = COMPARE[comparison.op]
	if (!compare) throw new Refusal(400, `Unknown operator ${comparison.op}`)
	const negated = String(comparison.negated) === 'true'
	return compare(value, String(comparison.value)) !== negated
}

function passes (rows, condition) {
	if (!condition) return true
	return condition.or.some(({ and }) => and.every(one => holds(rows, one)))
}

function outputsOf (projection) {
	const row = LABORATORY[0][projection.name][0]
	const outputs = projection.outputs && projection.outputs.length > 0
		? projection.outputs
		: Object.keys(row).slice(0, 1)
	for (const output of outputs) {
		if (!(output in row)) {
			throw new Refusal(400, `Unknown output ${projection.name} ${output}`)
		}
	}
	return outputs.map(output => [projection.name, output])
}

// Equal rows are one item with their count.
function gather (found, outputs) {
	const items = new Map()
	for (const rows of found) {
		const output = Object.fromEntries(outputs.map(([collector, name]) =>
			[`${collector}|${name}`, rows[collector][name]]))
		const key = JSON.stringify(output)
		const item = items.get(key) ||
			{ id: `{1=[${key}]}`, count: 0, created_at: MADE, output }
		item.count++
		items.set(key, item)
	}
	return Array.from(items.values())
}

function search (body) {
	const projections = body.projections
	const compared = ((body.condition || {}).or || [])
		.flatMap(({ and }) => and.map(one => one.name))
	const collectors = Array.from(new Set(
		[...projections.map(one => one.name), ...compared]))
	for (const name of collectors) {
		if (!Object.hasOwn(LABORATORY[0], name)) {
			throw new Refusal(501, 'Unsupported projection')
		}
	}
	const outputs = projections.flatMap(outputsOf)
	return gather(LABORATORY.flatMap(one =>
		Array.from(combinations(one, collectors))
			.filter(rows => passes(rows, body.condition))), outputs)
}

function item (name, value) {
	return {
		count: 1, created_at: MADE, id: `{1=[${value}]}`, output: { [name]: value }
	}
}

// The public fake knows these two, and nothing else.
function fakeSearch (body) {
	const [projection, more] = body.projections
	if (!more && projection.name === 'Processes') {
		return NAMES.map(name => item('Processes|name', name))
	}
	if (!more && projection.name === 'HostInfo' &&
		JSON.stringify(projection.outputs) === '["ip_address"]') {
		return ['192.168.130.152', '192.168.130.133']
			.map(address => item('HostInfo|ip_address', address))
	}
	throw new Refusal(501, 'Unsupported projection')
}

// What a terminal, a table and a JSON reader should survive.
const HOSTILE = [
	{ 'HostInfo|hostname': 'red \x1b[31m bell \x07 line\nfeed tab\t.' },
	{ 'HostInfo|hostname': null },
	{ 'HostInfo|hostname': 42 },
	{ 'HostInfo|hostname': ['a', 'b'] },
	{},
	{ 'HostInfo|hostname': 'x'.repeat(5000) },
	{ 'HostInfo|hostname': '\u202e\u0085\ud800' }
]

// What one machine says should not take the place of what the others say.
const LONG = [
	{ 'HostInfo|hostname': 'y'.repeat(60000) },
	{ 'HostInfo|hostname': 'z'.repeat(70000) }
]

// A row of many columns, and many that have none of them.
const WIDE = Array.from({ length: 8000 }, (_, i) =>
	i > 0
		? {}
		: Object.fromEntries(Array.from({ length: 255 }, (_, j) =>
			[`Wide|${String(j).padStart(100, '0')}`, 'x'])))

const MADE_UP = { hostile: HOSTILE, long: LONG, wide: WIDE }

function compareBy (key) {
	const of = key === 'count'
		? one => one.count
		: one => String(one.output[key] === undefined ? '' : one.output[key])
	return (a, b) => of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0
}

function page (items, parameters) {
	const { $offset: offset = 0, $limit: limit = 20, filter = '' } = parameters
	const direction = parameters.sortDirection === 'asc' ? 1 : -1
	const compare = compareBy(parameters.sortBy || 'count')
	const all = items.filter(one => filter === '' ||
		JSON.stringify(one.output).includes(filter))
		.sort((a, b) => direction * compare(a, b))
	return [all, all.slice(offset, offset + limit)]
}

class Mar {
	constructor () {
		this.fake = false
		this.running = 0 // how often it says that it is not ready
		this.rows = null // that many, or a word of MADE_UP
		this.gives = Infinity // so many of them at most, whatever it says
		this.lags = 0 // so many first pages of a search have none yet
		this.counts = true // it says how many rows there are
		this.searches = new Map()
	}

	// What the request wants: create, start, status or results.
	step (request) {
		if (request.target === '/v1/simple') return 'create'
		return /^\/v1\/[^/]+\/(start|status|results)$/.exec(request.target)?.[1]
	}

	answer (request) {
		try {
			return { code: 200, body: this.body(request) }
		} catch (error) {
			if (!(error instanceof Refusal)) throw error
			return this.failure(error.code, error.message)
		}
	}

	failure (code, message) {
		return { code, body: { applicationErrorList: [{ code, message }] } }
	}

	body (request) {
		const step = this.step(request)
		const method = { create: 'POST', start: 'PUT' }[step] || 'GET'
		if (!step || request.method !== method) {
			throw new Refusal(405, 'Unsupported method')
		}
		if (step === 'create') return this.create(request.body)
		const one = this.searches.get(request.target.split('/')[2])
		if (!one) throw new Refusal(404, 'Id not found')
		return this[step](one, request.parameters)
	}

	create (body) {
		if (!body || !Array.isArray(body.projections)) {
			throw new Refusal(400, 'Missing body or projections parameter')
		}
		const id = crypto.randomBytes(12).toString('hex')
		this.searches.set(id, {
			items: this.made() || (this.fake ? fakeSearch : search)(body),
			left: this.running,
			lags: this.lags
		})
		return this.fake
			? { id }
			: { id, status: 'CREATED', ttl: 60000, projections: body.projections }
	}

	made () {
		const made = MADE_UP[this.rows]
		if (made !== undefined) {
			return made.map((output, i) =>
				({ id: String(i), count: 1, created_at: MADE, output }))
		}
		if (this.rows === null) return undefined
		return Array.from({ length: this.rows }, (_, i) => item(
			'HostInfo|hostname', 'pc' + String(i + 1).padStart(6, '0')))
	}

	start () {
		return {}
	}

	status (one) {
		const results = one.items.length
		if (one.left > 0) {
			one.left--
			return this.fake
				? { status: 'RUNNING' }
				: {
					results: Math.floor(results / (one.left + 2)),
					errors: 0,
					hosts: LABORATORY.length,
					subscribedHosts: LABORATORY.length,
					status: 'IN_PROGRESS'
				}
		}
		const hosts = this.fake ? 1 : LABORATORY.length
		return {
			results, errors: 0, hosts, subscribedHosts: hosts, status: 'FINISHED'
		}
	}

	results (one, parameters) {
		const [all, found] = page(one.items, parameters)
		const items = one.lags-- > 0
			? []
			: found.slice(0, Math.max(0, this.gives - parameters.$offset))
		if (this.fake || !this.counts) return { items }
		return {
			startIndex: parameters.$offset,
			itemsPerPage: parameters.$limit,
			currentItemCount: items.length,
			totalItems: all.length,
			items
		}
	}
}

module.exports = { Mar, MADE_UP, TOPIC }
