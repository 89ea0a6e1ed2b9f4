/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_CONF_H
#define QCHAT_CONF_H

#include "fault.h"
#include "quota.h"
#include "translate.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The settings of a tool: qchat.conf (libconfig) or dxlclient.config (an INI
 * dialect) read into one struct.  Every fault names file, line and remedy.
 */

enum {
	CONF_PORT = 8883, /* where none is given */
	CONF_BROKERS_MAX = 64,
	CONF_FILE_MAX = 1024 * 1024, /* bytes of a configuration file */
};

enum conf_fabric {
	CONF_MQTT, /* mosquitto and its like: QoS 1, host name checked */
	CONF_DXL,  /* OpenDXL or Trellix brokers: QoS 0, it is not checked */
};

struct conf_broker {
	char *host;    /* name or address, without brackets */
	char *address; /* a second way to reach it, or NULL (dxl) */
	uint16_t port;
};

/* The most that can be set: with room to count hours in milliseconds. */
#define CONF_LIMIT_MAX INT64_C(1000000000000)

enum { CONF_PASSPHRASE_MAX = 1024 }; /* bytes, without the NUL */

/*
 * Asks for the passphrase of an encrypted key file, or gives it again.  It
 * goes, with a NUL, into passphrase, which has CONF_PASSPHRASE_MAX + 1 bytes
 * and is wiped by the caller.  0, or -1 with a fault.
 */
typedef int conf_passphrase_fn(void *context, const char *file,
	char *passphrase, struct fault *fault);

/* How much may be kept; 0 where nothing was said. */
struct conf_limits {
	int64_t store_bytes;    /* of what was said, for repairs, a room */
	int64_t store_messages; /* likewise */
	int64_t spool_bytes;    /* of what could not be delivered */
	int64_t spool_messages;
	int64_t spool_hours;    /* what is older is not sent any more */
	int64_t seal_old_hours; /* a secret is read after its successor came */
};

enum conf_bell {
	CONF_BELL_USUAL, /* not set: as ON */
	CONF_BELL_ON,
	CONF_BELL_OFF,
};

enum {
	CONF_WORDS_MAX = 32, /* of `highlight`, and bytes of each */
	CONF_WORD_MAX = 64,
	CONF_ARGUMENTS_MAX = 16, /* of `notify`, and bytes of each */
	CONF_ARGUMENT_MAX = 1024,
};

/* From which severity on qchat-join notifies, if nothing is said. */
#define CONF_NOTIFY_SEVERITY "high"

/* The group `join`: what qchat-join draws attention to, and how. */
struct conf_join {
	char **highlight;      /* words; this and the next end with NULL, … */
	char **notify;         /* a command; … and are NULL if not set */
	char *notify_severity; /* room_severity_name(), "none", or NULL */
	enum conf_bell bell;
};

struct conf {
	enum conf_fabric fabric;
	char *file; /* where it came from, for messages; never NULL */
	struct conf_broker *brokers;
	size_t broker_count; /* 0: the file names none */
	bool private_fabric; /* found as this user's own qchat-fabric, … */
	bool stopped;        /* … which does not run: CONF_STOPPED */
	bool dxl_keys;       /* a dxlclient.config has the next three */
	char *ca;            /* paths; NULL if not set */
	char *certificate;
	char *key;
	char *sign_ca; /* whose participants are trusted; NULL: those of ca */
	char *crl;     /* revocation lists for these; NULL: none */
	char *passphrase_command; /* prints the key's passphrase, or NULL */
	/* For an encrypted key, set by the tool; NULL: it is refused. */
	conf_passphrase_fn *ask_passphrase;
	void *ask_context;
	char *ciphers;    /* OpenSSL cipher string; NULL: its default */
	bool verify_host; /* `verify_host`, else by the fabric's kind */
	char *room;       /* defaults, or NULL */
	char *user;
	struct conf_limits limits;
	struct quotas quotas; /* the group `limits` */
	struct conf_join join;
	char **warnings; /* one line each with file and line, for -v */
	size_t warning_count;
};

/* What the caller knows of where to look; NULL where nothing was said. */
struct conf_source {
	const char *config;     /* --config */
	const char *dxl_config; /* --dxl-config */
	/* A private fabric that does not run is found, too. */
	bool stopped_too;
};

/* What to say of a private fabric that was made, but does not run. */
#define CONF_STOPPED \
	N_("the private fabric does not run (qchat-fabric up starts it)")

/*
 * Finds and reads the settings: source (one of the two: else FAULT_USAGE),
 * else QCHAT_CONFIG or QCHAT_DXL_CONFIG, else
 * $XDG_CONFIG_HOME/qchat/qchat.conf, else /etc/qchat/qchat.conf, else the
 * private fabric of this user, if it runs.
 * A file found by itself that names no broker counts as none; room, user and
 * the group `join` found there stay valid even if a later file gives the
 * brokers.  One that source or the environment names and that names no broker
 * is a fault.
 * QCHAT_ROOM and QCHAT_USER override room and user of the files.  An empty
 * variable counts as unset.
 * Returns 0, or -1 with FAULT_CONFIG (nothing found, or a bad file), or
 * FAULT_UNAVAILABLE (the private fabric was made, but does not run; unless
 * source asks for that).
 * On success conf_free() it; on failure there is nothing to free.
 */
int conf_find(struct conf *conf, const struct conf_source *source,
	struct fault *fault);

/*
 * Reads one qchat.conf.  0, or -1 with FAULT_CONFIG.  A file that names no
 * broker is no fault here.  Relative paths in it mean its own folder.  With
 * dxl_config, brokers, CA, certificate and key come from that file; fabric,
 * verify_host and ciphers may be set beside it.  @include is refused.
 */
int conf_read(struct conf *conf, const char *path, struct fault *fault);

/* Reads one dxlclient.config.  0, or -1 with FAULT_CONFIG; no usable broker
 * is a fault.  A relative path in it means the current folder if that file is
 * there, else the folder of the config file. */
int conf_read_dxl(struct conf *conf, const char *path, struct fault *fault);

void conf_free(struct conf *conf);

/* The folder of this user's files: $XDG_CONFIG_HOME/qchat and
 * $XDG_STATE_HOME/qchat, with the defaults of the XDG base directory
 * specification; HOME, else the password database.  The caller frees it. */
char *conf_config_dir(void);
char *conf_state_dir(void);

/* The private fabric's folder ($XDG_STATE_HOME/qchat/fabric); the caller
 * frees it.  In it: qchat.conf (this user's), mosquitto.pid while it runs. */
char *conf_fabric_dir(void);

/*
 * Does the private fabric of this folder run?  Its process id, or 0.  It runs
 * if the process of mosquitto.pid lives and holds a lock (flock) on
 * mosquitto.lock.  The lock is tried shared and for a moment: who wants to
 * take it should try more than once.
 */
long conf_fabric_pid(const char *fabric_dir);

/* What the two readers share. */

/* The text of a configuration file, checked for size, NUL and UTF-8, without
 * byte order mark.  The caller frees it; NULL with FAULT_CONFIG. */
char *conf_load(const char *path, struct fault *fault);

/* The path as meant from the folder of file.  The caller frees it. */
char *conf_beside(const char *file, const char *path);

/* Appends a broker; brackets around an address are taken off.  address may be
 * NULL or "".  Returns NULL, or what is wrong with it. */
const char *conf_add_broker(struct conf *conf, const char *host,
	const char *address, long port);

/* What is set in old goes into the place of what is in new. */
void conf_join_keep(struct conf_join *old, struct conf_join *new);
void conf_join_free(struct conf_join *join);

void conf_warn(struct conf *conf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
