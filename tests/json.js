#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Holds JSON lines against what qchat-json(5) says of them.
//
//	json.js PAGE FILE…
//
// Prints what does not fit, a line each:
//	page …		what is wrong in the page itself, its examples included
//	wrong …		a line of a FILE that is not as the page has it
//	unseen …	what the page has and no line of any FILE: a type of line, a
//			type of a value, or a line without what need not be there
//	lines N		at last, how many there were
'use strict'

const fs = require('fs')

const [pageFile, ...files] = process.argv.slice(2)
const BASES = {
	string: value => typeof value === 'string',
	time: value => typeof value === 'string' &&
		/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value),
	integer: value => Number.isInteger(value),
	number: value => typeof value === 'number',
	boolean: value => typeof value === 'boolean',
	null: value => value === null,
	object: value => value !== null && typeof value === 'object' &&
		!Array.isArray(value)
}

function print (...words) {
	process.stdout.write(words.join(' ') + '\n')
}

function plain (roff) {
	return roff.replace(/\\&/g, '').replace(/\\e/g, '\\').replace(/\\-/g, '-')
}

// The page as {title, common, kinds: [{names, items}], blocks}: common items
// stand before the first .Ss of a .Sh.
function parse (text) {
	const sections = []
	let section, kind, item, block
	for (const line of text.split('\n')) {
		const [, macro, rest] = /^\.(\S+) ?(.*)$/.exec(line) || [null, '', line]
		if (block !== undefined && macro !== 'Ed') {
			block += plain(line)
		} else if (macro === 'Sh') {
			kind = item = undefined
			section = { title: rest, common: [], kinds: [], blocks: [] }
			sections.push(section)
		} else if (macro === 'Ss') {
			item = undefined
			kind = { names: rest.split(' and '), items: [] }
			section.kinds.push(kind)
		} else if (macro === 'It') {
			const [, key, optional, types] =
				/^(Ic \S+|Ar NUMBER) (Op )?Ar (.*)$/.exec(rest) || []
			item = key && {
				key: key.slice(3),
				number: key === 'Ar NUMBER',
				optional: !!optional,
				types: types.split(' | '),
				seen: new Set(),
				absent: false,
				exemplified: false,
				words: [],
				about: ''
			}
			if (item) (kind ? kind.items : section.common).push(item)
		} else if (macro === 'El') {
			item = undefined
		} else if (macro === 'Bd') {
			block = ''
		} else if (macro === 'Ed') {
			section.blocks.push(block)
			block = undefined
		} else if (item) {
			if (macro === 'Ql') item.words.push(plain(rest.replace(/ [,;:?.]$/, '')))
			if (macro === 'Sx') item.kind = rest
			item.about += ' ' + rest
		}
	}
	return sections
}

const sections = parse(fs.readFileSync(pageFile, 'utf8'))
const lines = {} // the items of each type of line
const objects = {} // and of each object in them
for (const { title, common, kinds } of sections) {
	for (const { names, items } of kinds) {
		for (const name of names) {
			(title === 'OBJECTS' ? objects : lines)[name] =
				{ name, items: [...common, ...items], seen: false }
		}
	}
}

function fits (type, value, item, complain) {
	const [, container, of] = /^(list|object) of (\S+)s$/.exec(type) || []
	if (container) {
		const is = container === 'list' ? Array.isArray : BASES.object
		return is(value) &&
			Object.values(value).every(each => fits(of, each, item, complain))
	}
	if (type === 'word') return item.words.includes(value)
	if (type === 'object' && BASES.object(value)) {
		check(value, objects[item.kind], complain, item.mode)
		return true
	}
	return BASES[type](value)
}

// check: that an object has what it should, and nothing else
function check (object, kind, complain, mode) {
	for (const [key, value] of Object.entries(object)) {
		const item = kind.items.find(each =>
			each.number ? /^\d+$/.test(key) : each.key === key)
		if (!item) {
			complain(`${kind.name}.${key} is not documented`)
			continue
		}
		item.mode = mode
		const type = item.types.find(each => fits(each, value, item, complain))
		if (!type) {
			complain(`${kind.name}.${key} is no ${item.types.join(' | ')}: ` +
				JSON.stringify(value))
		} else if (mode === 'example') {
			item.exemplified = true
		} else {
			item.seen.add(type)
		}
	}
	for (const item of kind.items) {
		if (Object.hasOwn(object, item.key)) continue
		if (!item.optional) complain(`${kind.name}.${item.key} is missing`)
		else if (mode !== 'example') item.absent = true
	}
	if (mode !== 'example') kind.seen = true
}

function checkLine (text, complain, mode) {
	let object
	try {
		object = JSON.parse(text)
	} catch (error) {
		return complain('this is no JSON: ' + text)
	}
	if (!BASES.object(object)) return complain('this is no object: ' + text)
	const kind = Object.hasOwn(lines, object.type) && lines[object.type]
	if (!kind) return complain(`the type ${object.type} is not documented`)
	check(object, kind, complain, mode)
}

// What the page itself has to keep to.
function checkPage (complain) {
	for (const { name, items } of [...Object.values(lines),
		...Object.values(objects)]) {
		if (items.length === 0) complain(`${name} has no keys`)
		for (const { key, optional, types, kind, words, about } of items) {
			const what = `${name}.${key}`
			for (const type of types) {
				const [base] = type.replace(/^(list|object) of (\S+)s$/, '$2')
					.split(' | ')
				if (base !== 'word' && !Object.hasOwn(BASES, base)) {
					complain(`${what}: ${type} is no type`)
				}
				if (base === 'word' && words.length < 2) {
					complain(`${what}: which words?`)
				}
				if (base === 'object' && !/ of (?!objects)/.test(type) &&
					!Object.hasOwn(objects, kind)) {
					complain(`${what}: which object?`)
				}
			}
			if (optional && name !== 'attributes' &&
				!/\b(if|unless)\b/.test(about)) {
				complain(`${what}: when is it there?`)
			}
		}
	}
	for (const { title, blocks } of sections) {
		if (!/^LINES/.test(title)) continue
		for (const block of blocks) checkLine(block, complain, 'example')
	}
	once(({ exemplified }, name) => {
		if (!exemplified) complain(`${name} is in no example`)
	})
}

// once(judge): judges each item, also if several lines have it, one time
function once (judge) {
	const judged = new Set()
	for (const { name, items } of [...Object.values(lines),
		...Object.values(objects)]) {
		for (const item of items) {
			if (!judged.has(item)) judge(item, `${name}.${item.key}`)
			judged.add(item)
		}
	}
}

let count = 0
checkPage(text => print('page', text))
for (const file of files) {
	for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
		if (line === '') continue
		count++
		checkLine(line, text => print('wrong', text), 'line')
	}
}
for (const { name, seen } of [...Object.values(lines),
	...Object.values(objects)]) {
	if (!seen) print('unseen', name)
}
once(({ types, seen, optional, absent }, name) => {
	for (const type of types) if (!seen.has(type)) print('unseen', name, type)
	if (optional && !absent) print('unseen', name, 'is always there')
})
print('lines', count)
