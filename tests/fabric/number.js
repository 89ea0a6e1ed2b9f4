// SPDX-License-Identifier: Apache-2.0
//
// Numbers of commands and options.
'use strict'

// A number that is none would be NaN, of which no comparison holds.
function whole (text) {
	if (!/^[0-9]+$/.test(text)) throw new Error(`"${text}" is no number`)
	return Number(text)
}

module.exports = { whole }
