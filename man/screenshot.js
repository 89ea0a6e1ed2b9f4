#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// What `tmux capture-pane -e -p -N` printed, as an SVG.
//
//	screenshot.js COLUMNS ROWS CURSOR-X CURSOR-Y <SCREEN >SVG
//
// Of the attributes it knows those that qchat-join has: bold, dim, underlined,
// reverse, and the colours of a terminal with 256.
'use strict'

const fs = require('fs')

// Whole pixels: the same letter looks the same everywhere, and packs well.
const WIDTH = 9
const HEIGHT = 19
const BASE = 14 // from the top of a cell to the base line
const SIZE = WIDTH * 2048 / 1233 // DejaVu Sans Mono's advance
const MARGIN = 12
const FOREGROUND = '#d4d4d4'
const BACKGROUND = '#1b1d1f'
const FIRST = ['#2e3436', '#e06c5b', '#7fb94d', '#d6a83a', '#6f9fd8', '#b58ac0',
	'#4fb3b3', '#d3d7cf', '#6c7073', '#ff8c7a', '#a0e060', '#ffd75f',
	'#8fbfff', '#dba8e6', '#6fe0e0', '#ffffff']

const [columns, rows, cursorX, cursorY] = process.argv.slice(2).map(Number)

function colour (n) {
	const hex = value => value.toString(16).padStart(2, '0')

	if (n < 16) return FIRST[n]
	if (n >= 232) return '#' + hex(8 + (n - 232) * 10).repeat(3)
	n -= 16
	return '#' + [Math.floor(n / 36), Math.floor(n / 6) % 6, n % 6]
		.map(level => hex(level && 55 + level * 40)).join('')
}

// Changes the look as the numbers between CSI and m have it.
function change (look, numbers) {
	for (let i = 0; i < numbers.length; i++) {
		const n = numbers[i]
		const extended = () => {
			i += 2
			return colour(numbers[i])
		}
		if (n === 0) {
			for (const key of Object.keys(look)) delete look[key]
		}
		else if (n === 1) look.bold = true
		else if (n === 2) look.dim = true
		else if (n === 4) look.underlined = true
		else if (n === 7) look.reverse = true
		else if (n === 22) look.bold = look.dim = false
		else if (n === 24) look.underlined = false
		else if (n === 27) look.reverse = false
		else if (n === 38) look.front = extended()
		else if (n === 39) delete look.front
		else if (n === 48) look.back = extended()
		else if (n === 49) delete look.back
		else if (n >= 30 && n < 38) look.front = colour(n - 30)
		else if (n >= 40 && n < 48) look.back = colour(n - 40)
		else if (n >= 90 && n < 98) look.front = colour(n - 82)
		else throw new Error(`attribute ${n} is not known here`)
	}
}

// Cells of one look, from left to right.
function * runs (line, look) {
	let column = 0

	for (const [, numbers, text] of
		line.matchAll(/\x1b\[([0-9;:]*)m|([^\x1b]+|\x1b.)/g)) {
		if (text === undefined) {
			change(look, numbers.split(/[;:]/).map(Number))
			continue
		}
		if (text[0] === '\x1b') throw new Error('no attribute')
		const cells = Array.from(text)
		yield { column, cells, look: { ...look } }
		column += cells.length
	}
}

function escaped (text) {
	return text.replace(/&/g, '&amp;').replace(/</g, '&lt;')
}

function box (x, y, width, height, fill, opacity) {
	return `<rect x="${x.toFixed(2)}" y="${y.toFixed(2)}" ` +
		`width="${width.toFixed(2)}" height="${height.toFixed(2)}" ` +
		`fill="${fill}"${opacity}/>`
}

// Rules are drawn, so that they have no gaps.
function draw (run, row) {
	const { look, cells } = run
	const x = MARGIN + run.column * WIDTH
	const y = MARGIN + row * HEIGHT
	const front = look.front || FOREGROUND
	const back = look.back || BACKGROUND
	const ink = look.reverse ? back : front
	const opacity = look.dim ? ' opacity="0.62"' : ''
	const parts = []

	if (look.reverse || look.back) {
		parts.push(box(x, y, cells.length * WIDTH, HEIGHT,
			look.reverse ? front : back, ''))
	}
	cells.forEach((cell, i) => {
		const left = x + i * WIDTH
		if (cell === '│') {
			parts.push(box(left + WIDTH / 2, y, 1, HEIGHT, ink,
				' opacity="0.4"'))
		}
		if (cell === '─') {
			parts.push(box(left, y + HEIGHT / 2, WIDTH, 1, ink, opacity))
		}
	})
	const text = cells.join('').replace(/[│─]/g, ' ')
	if (text.trim() !== '') {
		parts.push(`<text x="${x.toFixed(2)}" y="${y + BASE}" ` +
			`fill="${ink}"${opacity}` +
			(look.bold ? ' font-weight="bold"' : '') +
			(look.underlined ? ' text-decoration="underline"' : '') +
			`>${escaped(text)}</text>`)
	}
	return parts
}

const width = columns * WIDTH + 2 * MARGIN
const height = rows * HEIGHT + 2 * MARGIN
const look = {}
const lines = fs.readFileSync(0, 'utf8').split('\n').slice(0, rows)
const parts = lines.flatMap((line, row) =>
	Array.from(runs(line, look)).flatMap(run => draw(run, row)))

process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" ` +
	`width="${width.toFixed(0)}" height="${height}" ` +
	`font-family="DejaVu Sans Mono" font-size="${SIZE.toFixed(4)}" xml:space="preserve">
${box(0, 0, width, height, BACKGROUND, '')}
${parts.join('\n')}
${box(MARGIN + cursorX * WIDTH, MARGIN + cursorY * HEIGHT, WIDTH, HEIGHT,
		FOREGROUND, ' opacity="0.7"')}
</svg>
`)
