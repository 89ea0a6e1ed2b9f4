#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Strings that would drive a terminal, break a line, hide, or reorder it.
//
//	escapes.js count            how many there are
//	escapes.js commands TOPIC   for raw.js: each as name, text, title, tag,
//	                            program and UID, said, as presence, and as a
//	                            property of the room
//	escapes.js rooms PREFIX     for raw.js: presence in rooms whose topics are
//	                            PREFIX and those that can be a name
//	escapes.js check FILE…      prints what is in these files and must not be
//	escapes.js screen FILE…     the same for the bytes that went to a terminal:
//	                            what ncurses needs is allowed
'use strict'

const fs = require('fs')

const ESC = '\x1b'
const strings = []
const add = (...list) => strings.push(...list.map(text => Buffer.from(text)))
const range = (from, to) =>
	Array.from({ length: to - from + 1 }, (_, i) => from + i)
const char = code => String.fromCodePoint(code)

// C0, DEL and C1, each alone (ECMA-48, 5.2 and 5.3).
add(...range(0x00, 0x1f).map(char), char(0x7f))
add(...range(0x80, 0x9f).map(char))
// C1 as single bytes, which are no UTF-8.
strings.push(...range(0x80, 0x9f).map(byte => Buffer.from([0x61, byte, 0x62])))
// Control sequences: cursor, erasing, scrolling, modes, reports, resets.
add(...['A', '2B', '3C', '4D', 'E', 'F', '5G', 'H', '2;2H', 'J', '1J', '2J',
	'3J', 'K', '2K', '3L', '3M', '2P', '3S', '3T', '4X', 'Z', '5b', 'c',
	'>c', '3g', '?25l', '?25h', '?47h', '?1049h', '?1000h', '?2004h',
	'?1004h', '20h', '4h', '31m', '38;5;1m', '8m', '7m', '0m', '5n', '6n',
	'?6n', '!p', '1;5r', 's', 'u', '8;1;1t', '21t', '22;0t', '1$r', '2"q',
	'1\'w', ' q', '>4;1m', '=c'].map(end => `${ESC}[${end}`))
add(...['7', '8', '=', '>', 'D', 'E', 'H', 'M', 'N', 'O', 'c', 'n', 'o', '|',
	'}', '~', '(0', ')B', '*A', '#8', '%G', ' F', 'Z'].map(end => ESC + end))
// OSC: title, colours, links, the clipboard, and programs of their own.
for (const body of ['0;owned', '1;owned', '2;owned', '4;1;red', '7;file:///',
	'8;;http://evil/', '9;owned', '10;?', '11;?', '52;c;ZXZpbA==', '52;c;?',
	'133;A', '777;notify;a;b', '1337;SetMark', '1337;File=inline=1:QUJD']) {
	add(`${ESC}]${body}\x07`, `${ESC}]${body}${ESC}\\`)
}
add('\u009d0;owned\u009c', '\u009b2J', '\u0090q\u009c', `${ESC}]0;unended`)
// DCS, SOS, PM, APC.
add(`${ESC}P1$r0m${ESC}\\`, `${ESC}P+q544e${ESC}\\`, `${ESC}Pq#0~${ESC}\\`,
	`${ESC}Xsos${ESC}\\`, `${ESC}^pm${ESC}\\`, `${ESC}_Ga=T;QUJD${ESC}\\`,
	`${ESC}ktitle${ESC}\\`)
// Bidirectional controls (UAX 9), what has no width, separators.
const bidi = [0x061c, 0x200e, 0x200f, ...range(0x202a, 0x202e),
	...range(0x2066, 0x2069)]
add(...bidi.map(code => `a${char(code)}b`))
add(...[0x00ad, 0x034f, 0x115f, 0x17b4, 0x180e, 0x200b, 0x200c, 0x200d, 0x2060,
	0x2061, 0x2064, 0x206a, 0x206f, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xffa0,
	0xfff9, 0xfffb, 0xfffc, 0xe0001, 0xe0041, 0xe007f, 0xe0100]
	.map(code => `a${char(code)}b`))
add(...[0x85, 0x2028, 0x2029, 0x000b, 0x000c].map(code => `a${char(code)}b`))
add('alice\u202enimda', 'a\u0300'.padEnd(60, '\u0300'), '\u0301', '\uff41\uff42',
	'\u{1f468}\u200d\u{1f469}\u200d\u{1f467}', '\u1100\u1161\u11a8', '\ufdd0',
	'\uffff', '\u{10ffff}', 'a\r\nb', '\r', '\n\n\n', '\t\t', '\b\b\b',
	'a\u2028* bob joined', ' ', '', '\\', '\\n', '%s%n', '~/../../etc/x')
// What is no UTF-8 (RFC 3629): cut off, overlong, surrogates, too large.
strings.push(...['80', 'bf', 'c2', 'e282', 'f09f98', 'c080', 'c19b', 'c1bf',
	'e08080', 'e0809b', 'e09fbf', 'f0808080', 'f080809b', 'f08fbfbf',
	'eda080', 'edbfbf', 'f4908080', 'f5808080', 'f8888080', 'fc84808080',
	'fe', 'ff', '611b5b80'].map(hex => Buffer.from(hex, 'hex')))

function isUtf8 (bytes) {
	return Buffer.from(bytes.toString('utf8')).equals(bytes)
}

// JSON of ASCII alone, so that a line stays a line.
function ascii (object) {
	return JSON.stringify(object).replace(/[\u007f-\uffff]/g, unit =>
		'\\u' + unit.charCodeAt(0).toString(16).padStart(4, '0'))
}

function commands (topic) {
	strings.forEach((bytes, i) => {
		const text = isUtf8(bytes) ? bytes.toString('utf8') : '@@'
		const said = {
			type: 1, time: '1', user: `u${text}`, UID: `s${i}`,
			message: `m${text}`, title: `t${text}`, sev: 'low',
			tags: [`g${text}`]
		}
		const here = {
			type: 2, time: '1', user: `p${text}`, UID: `p${text}`,
			app: `a${text}`, conn: text, since: 1, idle: 1
		}
		// A property of the room: no tool shows any yet.
		const property = {
			type: 10, time: '1', user: `r${text}`, UID: `r${i}`, seq: 1,
			name: `n${text}`, value: `v${text}`
		}
		for (const object of [said, here, property]) {
			if (isUtf8(bytes)) {
				console.log(`json ${topic} ${ascii(object)}`)
				continue
			}
			const hex = Buffer.from(ascii(object)).toString('hex')
				.replaceAll('4040', bytes.toString('hex'))
			console.log(`body ${topic} ${hex}`)
		}
	})
}

const bad = [
	[/[\u0000-\u0009\u000b-\u001f\u007f]/u, 'C0 or DEL'],
	[/[\u0080-\u009f]/u, 'C1'],
	[/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u, 'a bidi control'],
	[/[\u2028\u2029]/u, 'a separator'],
	[/[\u200b\u2060\ufeff\u{e0000}-\u{e007f}]/u, 'what has no width']
]
// What a terminal is told by a program of its own, but no CSI.
const driven = [
	[/\x1b[\]PX^_k]/, 'OSC, DCS, SOS, PM, APC or a title'],
	[/\x07/, 'a bell'],
	...bad.slice(1)
]

function check (files, rules) {
	for (const file of files) {
		const bytes = fs.readFileSync(file)
		if (!isUtf8(bytes)) console.log(`${file}: not UTF-8`)
		bytes.toString('utf8').split('\n').forEach((line, i) => {
			for (const [pattern, what] of rules) {
				if (pattern.test(line)) {
					console.log(`${file}:${i + 1}: ${what}: ${
						ascii(line.slice(0, 80))}`)
				}
			}
		})
	}
}

const [word, ...rest] = process.argv.slice(2)
if (word === 'count') console.log(strings.length)
if (word === 'commands') commands(rest[0])
if (word === 'check') check(rest, bad)
if (word === 'screen') check(rest, driven)
if (word === 'rooms') {
	for (const bytes of strings) {
		const name = String(bytes)
		if (isUtf8(bytes) && name !== '' &&
			!/[+#\s\u0000-\u001f\u007f-\u009f\ufdd0\uffff\u{10ffff}]/u
				.test(name)) {
			console.log(`json ${rest[0]}r${name} ${ascii({
				type: 2, time: '1', user: 'x', UID: 'x', app: 'x' })}`)
		}
	}
}
