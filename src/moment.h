/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_MOMENT_H
#define QCHAT_MOMENT_H

#include <stdint.h>

/*
 * Reads a moment of the past as people type it: a time ago ("90s", "10m",
 * "2h", "1d"), RFC 3339 ("2026-11-23T04:25:13Z", a blank instead of the T and
 * a fraction do too, without zone it is local time), a local day
 * ("2026-11-23"), a local time of the last 24 hours ("04:25"), or "@" and
 * seconds since the epoch.  now and *ms are wall milliseconds.
 * 0, or -1 if it is none of them, or lies in the future.
 */
int moment_parse(const char *text, int64_t now, int64_t *ms);

#endif
