/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_REQUEST_H
#define QCHAT_REQUEST_H

#include "fault.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DXL requests and what answers them (protocol.md, 4.1, 4.2): those of one
 * inbox.  Takes bytes and times, gives bytes to publish; knows no connection.
 *
 * An answer is matched by the id of the request's message.  That id cannot be
 * guessed, and the fabric shows it only to the service that it has chosen: it
 * is the proof that an answer is of who was asked.  Where a service was asked
 * by its own id, that has to agree too, and whoever uses this may judge the
 * source.  That alone is no proof, as a payload that the broker does not
 * understand passes with any (1.7); and where none is named the id is the
 * proof alone, as that is all that whoever forges one would have to know.
 */
struct requests;

enum {
	REQUEST_WAITING_MAX = 64,         /* at once */
	REQUEST_PAYLOAD_MAX = 900 * 1024, /* bytes (1.8) */
	REQUEST_DONE_MAX = 256,           /* remembered, to tell what is late */
	REQUEST_TIMEOUT_MS = 30 * 1000, /* as TIE's and MAR's clients have it */
	REQUEST_TIMEOUT_MAX_MS = 3600 * 1000,
};

enum request_end {
	REQUEST_ANSWERED, /* by a response */
	REQUEST_REFUSED,  /* by an error response, of the service or the fabric
			   */
	REQUEST_EXPIRED,  /* nobody answered in time */
	REQUEST_LOST, /* the connection went, and it must not be sent twice */
};

/* Codes of error responses that the fabric gives (4.2). */
#define REQUEST_NO_SERVICE  UINT32_C(0x80000001)
#define REQUEST_OVERLOADED  UINT32_C(0x80000002)
#define REQUEST_NO_RESPONSE UINT32_C(0x80000003)

/* What becomes of a request.  Borrowed for the call only. */
struct request_answer {
	enum request_end end;
	int64_t number;      /* of the request */
	struct span payload; /* of a response: its bytes, unchecked */
	struct span service_id, source_client_id, source_broker_id;
	uint32_t code;       /* of an error response, as unsigned */
	struct span message; /* its text, unchecked */
	/*
	 * In words, but for REQUEST_ANSWERED.  FAULT_UNAVAILABLE: the fabric
	 * has no service for it, or cannot reach it, or the connection is lost;
	 * FAULT_TIMEOUT; FAULT_PROTOCOL: the service itself said no.
	 */
	struct fault fault;
};

struct request {
	const char *topic;
	struct span payload;
	const char *service_id; /* NULL: whichever the fabric chooses */
	int64_t timeout_ms;     /* 0: REQUEST_TIMEOUT_MS */
	/* It changes something: after a lost connection, when nobody knows
	 * whether it was acted upon, it is not sent again. */
	bool acts;
	/* Several answer, as each broker does (10): `answered` is called for
	 * each response until the time is over, which ends it, without a
	 * fault if it was sent. */
	bool many;
	void *context;
	/* Called once, or, with `many`, also for each response.  May add and
	 * drop requests. */
	void (*answered)(void *context, const struct request_answer *answer);
};

enum request_origin {
	REQUEST_OF_SERVICE,
	REQUEST_OF_STRANGER, /* it is not taken */
	REQUEST_UNDECIDED,   /* it is kept, and judged by requests_judge(), or
			      * taken when the time is over */
	REQUEST_DOUBTED, /* it is kept, and judged again, but not taken then */
};

struct requests_calls {
	void *context;
	void (*publish)(void *context, const char *topic, struct span bytes);
	/* Who answers what was asked on this topic?  The ids are as the broker
	 * tells them, that of the client is not empty.  NULL: whoever knows the
	 * id of the request. */
	enum request_origin (*judge)(void *context, const char *topic,
		struct span service_id, struct span source_client_id);
};

/* inbox: the topic that answers are to come to, and that is subscribed to. */
struct requests *requests_new(const char *inbox,
	const struct requests_calls *calls);

/* Nobody is told of what still waits. */
void requests_free(struct requests *requests);

/*
 * Makes a request, which is published as soon as there is a connection; its
 * time runs from now on.  id: of its message, which nobody can guess (1.5), and
 * no other one's.  Returns its number, above 0; or -1 with FAULT_DATA: the
 * payload is too large; or FAULT_UNAVAILABLE: too many wait.
 */
int64_t requests_add(struct requests *requests, const struct request *request,
	const char *id, int64_t mono, struct fault *fault);

/* Nobody waits for it any more. */
void requests_drop(struct requests *requests, int64_t number);

/* How many wait. */
size_t requests_waiting(const struct requests *requests);

/* The inbox is subscribed to; or there is no connection. */
void requests_up(struct requests *requests);
void requests_down(struct requests *requests);

/* Takes what came to the inbox.  False if it is no response and no error, or
 * nothing was ever asked: it is not ours. */
bool requests_receive(struct requests *requests, struct span bytes);

/* More is known now of who answers: what is kept is judged again. */
void requests_judge(struct requests *requests);

/* The next moment for requests_tick() (mono ms), INT64_MAX if none. */
int64_t requests_deadline(const struct requests *requests);
void requests_tick(struct requests *requests, int64_t mono);

/* What came and was no answer to what waits. */
struct requests_counts {
	uint64_t late;    /* after its time, or after it was dropped */
	uint64_t doubles; /* after another answer */
	uint64_t foreign; /* to nothing that was asked, or not of who was; or
			   * too many */
};
struct requests_counts requests_counts(const struct requests *requests);

#endif
