/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_CONF_READER_H
#define QCHAT_CONF_READER_H

#include "conf.h"

#include <libconfig.h>

/* One qchat.conf on its way into a struct conf: what the files that read it
 * share. */
struct conf_reader {
	const char *path;
	struct conf *conf;
	struct fault *fault;
	char *dxl_config;
	bool fabric_set, verify_set;
};

/* Sets the fault, with file and line.  Returns -1. */
int conf_complain(const struct conf_reader *reader,
	const config_setting_t *setting, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Takes the group `join`; into is not used.  0, or -1 with a fault. */
int conf_take_join(struct conf_reader *reader, const config_setting_t *setting,
	char **into);

/*
 * A copy of a file's text in which every whole number is a decimal one with an
 * L behind it, within int64_t.  All libconfigs read that alike: from others
 * they cut what is beyond 32 or 64 bits, or have a fault of their own, and take
 * those that begin with 0 to base 10 or 8.  Lines stay as they are.  The caller
 * frees it.
 */
char *conf_plain_numbers(const char *file);

#endif
