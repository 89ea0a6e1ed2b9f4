#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// A management service that behaves as the OpenDXL console does, or, on
// request, as ePO, as one that fails, or as one that means harm.
//
//	console.js FOLDER BROKER-PORT
//
// FOLDER has server.crt, server.key, ca.crt, ca.key, and, for some modes,
// other-ca.crt, other-ca.key, other.csr.  The user is admin, the password
// password.  Standard input, a line: the mode from now on, one of those below.
// Standard output, JSON lines: {"at":"ready","port":…}, {"mode":…}, and
// {"asked":…} for each request, with whether it had credentials and a cookie.
'use strict'

const { execFileSync } = require('child_process')
const crypto = require('crypto')
const fs = require('fs')
const https = require('https')
const path = require('path')
const readline = require('readline')

const [folder, brokerPort] = process.argv.slice(2)
const file = name => path.join(folder, name)
const read = name => fs.readFileSync(file(name), 'utf8')
const key = crypto.randomBytes(32)
const authorization = 'Basic ' +
	Buffer.from('admin:password').toString('base64')
let mode = 'console'
let cookies = 0

function print (line) {
	process.stdout.write(JSON.stringify(line) + '\n')
}

function signed (text) {
	return text + '.' +
		crypto.createHmac('sha256', key).update(text).digest('hex')
}

function sign (csr, ca, more = ['-days', '3650']) {
	return execFileSync('openssl', ['x509', '-req', ...more,
		'-CA', file(ca + '.crt'), '-CAkey', file(ca + '.key'),
		'-set_serial', String(Date.now())],
	{ input: csr, stdio: ['pipe', 'pipe', 'ignore'] }).toString()
}

// With more bytes behind the certificate, inside of its lines.
function lengthened (pem) {
	const der = Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64')
	return '-----BEGIN CERTIFICATE-----\n' +
		Buffer.concat([der, Buffer.from('\n[Certs]\n\u0000more')])
			.toString('base64').replace(/.{64}/g, '$&\n') +
		'\n-----END CERTIFICATE-----\n'
}

// Ids as the console has them; its broker is at localhost.
const brokers = port => [
	{ guid: 'local', hostName: 'localhost', ipAddress: '127.0.0.1', port },
	{ guid: 'external', hostName: '127.0.0.1', ipAddress: '127.0.0.1', port },
	{ guid: '{2c5b107c-7f51-11e7-0ebf-0800271cfa58}', hostName: 'localhost',
		ipAddress: '', port }
]

const lines = list => list.map(b => `${b.guid}=${b.guid};${b.port};` +
	`${b.hostName}${b.ipAddress ? ';' + b.ipAddress : ''}\n`).join('')

function packageFor (csr) {
	const parts = [read('ca.crt'), '', lines(brokers(brokerPort)),
		lines(brokers(443))]
	if (mode === 'other-key') csr = read('other.csr')
	parts[1] = sign(csr, mode === 'other-ca' ? 'other-ca' : 'ca')
	switch (mode) {
	case 'truncated': parts[1] = parts[1].slice(0, 300); break
	case 'truncated-ca': parts[0] = parts[0].slice(0, 300); break
	case 'html-pem': parts[1] = '<html>No certificate today</html>'; break
	case 'no-pem': parts[0] = ''; break
	case 'leaf-ca': parts[0] = parts[1]; break
	case 'leaf-among': parts[0] = read('other-ca.crt') + parts[1]; break
	case 'old': parts[1] = sign(csr, 'ca', ['-days', '-1']); break
	case 'server-only':
		parts[1] = sign(csr, 'ca', ['-extfile', file('server-only.cnf')])
		break
	case 'more-pem':
		parts[0] = 'before\n' + parts[0] + '\nbetween\n' + read('other.key') +
			'-----BEGIN nothing\n'
		parts[1] += read('other.csr') + '\u001b[2J[Certs]\n'
		break
	case 'more-der': parts[1] = lengthened(parts[1]); break
	case 'many-certificates': parts[0] = parts[0].repeat(300); break
	case 'two-parts': parts.length = 2; break
	case 'three-parts': parts.length = 3; break
	case 'no-brokers': parts[2] = parts[3] = '\n'; break
	case 'web-only': parts[2] = ''; break
	case 'escape-broker':
		parts[2] = 'a=a;8883;\u001b[2Jhost;127.0.0.1\n'
		break
	case 'section-broker':
		parts[2] = 'a=a;8883;host\r[Certs];127.0.0.1\n'
		break
	case 'id-broker': parts[2] = 'a=b;8883;host;127.0.0.1\n'; break
	case 'port-broker': parts[2] = 'a=a;0;host;127.0.0.1\n'; break
	case 'many-brokers':
		parts[2] = ''
		for (let i = 0; i < 2000; i++) parts[2] += `b${i}=b${i};8883;h\n`
		break
	}
	return parts.join(',')
}

function list () {
	const answer = { brokers: brokers(+brokerPort), certVersion: 0 }
	switch (mode) {
	case 'web-clients': answer.webSocketBrokers = brokers('8443'); break
	case 'web-none': break
	case 'list-gone':
		answer.brokers = answer.brokers.slice(0, 1)
		answer.brokersWebSockets = []
		break
	case 'list-other': answer.brokers = {}; break
	case 'list-text':
		answer.brokers[1].port = '' + brokerPort
		answer.brokersWebSockets = brokers(443)
		break
	case 'list-port': answer.brokers[1].port = 65536; break
	default: answer.brokersWebSockets = brokers(443)
	}
	if (mode === 'list-deep') return '['.repeat(100000)
	return JSON.stringify(answer)
}

function run (command, query) {
	switch (command) {
	case 'DxlBrokerMgmt.generateOpenDXLClientProvisioningPackageCmd':
		return packageFor(query.get('csrString'))
	case 'DxlClientMgmt.createClientCaBundle':
		if (mode === 'bundle-html') return '<html></html>'
		return read('ca.crt') + read('ca.crt')
	case 'DxlClientMgmt.getBrokerList':
		return list()
	}
	return null
}

// Half of it, and then a byte from time to time.
function trickle (response, body) {
	response.write(body.slice(0, body.length / 2))
	const timer = setInterval(() => response.write('.'), 100)
	response.on('close', () => clearInterval(timer))
}

function flood (response) {
	const block = Buffer.alloc(65536, 'x')
	const more = () => {
		while (response.write(block)) {}
	}
	response.write('OK:\r\n"')
	response.on('drain', more)
	more()
}

// 0: answered; else what is to be answered.
function misbehave (response, url) {
	switch (mode) {
	case 'http-500':
		// Node itself would not say it so.
		response.socket.end('HTTP/1.1 500 Unable to sign \u001b[31mit' +
			'\r\nContent-Length: 0\r\n\r\n')
		return true
	case 'http-404':
		response.writeHead(404).end()
		return true
	case 'html':
		response.end('<html><head><title>Welcome: to it</title></head>')
		return true
	case 'empty':
		response.end()
		return true
	case 'not-json':
		response.end('OK:\r\nwhatever\r\n')
		return true
	case 'not-string':
		response.end('OK:\r\n{"a": 1}\r\n')
		return true
	case 'error':
		response.end('Error 1 :\r\nNot \u001b[31mpermitted\r\n')
		return true
	case 'never':
		return true
	case 'slow':
		trickle(response, 'OK:\r\n"' + 'x'.repeat(100))
		return true
	case 'huge':
		flood(response)
		return true
	case 'huge-headers':
		for (let i = 0; i < 40; i++) {
			response.setHeader('X-' + i, 'y'.repeat(4000))
		}
		response.end('OK:\r\n"x"\r\n')
		return true
	case 'elsewhere':
		response.writeHead(302, { Location: 'https://localhost:1/login' })
		response.end()
		return true
	case 'other-host':
		response.writeHead(302,
			{ Location: 'https://elsewhere.example/login' }).end()
		return true
	case 'plain-http':
		response.writeHead(302,
			{ Location: 'http://' + url.host + url.pathname }).end()
		return true
	case 'loop':
		response.writeHead(302, { Location: url.pathname }).end()
		return true
	case 'nowhere':
		response.writeHead(302).end()
		return true
	case 'cut':
		response.writeHead(200, { 'Content-Length': 1000 })
		response.write('OK:\r\n"', () => response.destroy())
		return true
	}
	return false
}

// As the console: a page for the login, and a cookie that it gives.
function login (request, response, url) {
	if (request.headers.authorization !== authorization) {
		response.writeHead(401, { 'WWW-Authenticate': 'Basic' })
		response.end('<html>Who are you?</html>')
		return
	}
	response.writeHead(302, {
		Location: url.searchParams.get('next'),
		'Set-Cookie': 'user=' + signed(String(++cookies)) +
			'; Path=/; Secure; HttpOnly'
	})
	response.end()
}

function isKnown (request) {
	if (mode === 'epo') return request.headers.authorization === authorization
	const cookie = /user=((\d+)\.[0-9a-f]+)/.exec(request.headers.cookie)
	return cookie !== null && signed(cookie[2]) === cookie[1]
}

const server = https.createServer({
	cert: read('server.crt'), key: read('server.key'), maxHeaderSize: 65536
}, (request, response) => {
	const url = new URL(request.url, 'https://' + request.headers.host)
	print({
		asked: url.pathname,
		authorized: request.headers.authorization === authorization,
		cookie: request.headers.cookie !== undefined,
		query: url.search.replace(/csrString=[^&]*/, 'csrString=*')
	})
	if (url.pathname === '/login') return login(request, response, url)
	if (mode === 'epo' && !isKnown(request)) {
		response.writeHead(401).end()
		return
	}
	if (!isKnown(request)) {
		response.writeHead(302, {
			Location: '/login?next=' + encodeURIComponent(request.url)
		})
		response.end()
		return
	}
	if (misbehave(response, url)) return
	const result = run(url.pathname.replace('/remote/', ''),
		url.searchParams)
	if (result === null || url.searchParams.get(':output') !== 'json') {
		response.writeHead(404).end()
		return
	}
	response.end('OK:\r\n' + JSON.stringify(result) + '\r\n')
})

server.listen(0, '127.0.0.1', () => {
	print({ at: 'ready', port: server.address().port })
})
readline.createInterface({ input: process.stdin }).on('line', line => {
	mode = line
	print({ mode })
}).on('close', () => process.exit(0))
