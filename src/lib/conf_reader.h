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
	const char *text; /* the file's */
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

#endif
