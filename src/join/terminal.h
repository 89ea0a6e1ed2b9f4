/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_TERMINAL_H
#define QCHAT_JOIN_TERMINAL_H

#include <stdbool.h>

/* The terminal's modes that curses does not know of, and how it is given back
 * whatever happens. */

/* Behind cli_catch_signals(), of which it changes the handlers: for the next
 * two. */
void terminal_catch_signals(void);

/* While something is written, the signals that end the process are let in: what
 * the terminal does not take is discarded then, and not waited for. */
void terminal_write_begin(void);
void terminal_write_end(void);

/* If the process is to end, discards what the terminal does not take. */
void terminal_flush(void);

/* Is it ours?  In the background it is the shell's, and is left alone. */
bool terminal_is_ours(void);

/* Waits until it is, stopped.  False if a signal ends the process before; see
 * cli_catch_signals(). */
bool terminal_await(void);

/* Remembers the terminal's modes as they are; before curses changes them. */
void terminal_remember(void);

/*
 * Pastes and changes of focus are told from keys from now on.  If the process
 * crashes, or a signal or exit() ends it, `restore` is written (what ends the
 * alternate screen; borrowed until terminal_end()) and the modes of the
 * terminal are those that were remembered.  To say it again does no harm.
 */
void terminal_begin(const char *restore);

/* No more of that. */
void terminal_end(void);

/* A bell. */
void terminal_bell(void);

#endif
