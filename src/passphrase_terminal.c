/* SPDX-License-Identifier: Apache-2.0 */
#include "passphrase.h"

#include "text.h"
#include "translate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* What would leave the terminal without echo. */
static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP,
	SIGTTIN, SIGTTOU };

enum { SIGNAL_COUNT = sizeof(signals) / sizeof(*signals) };

static volatile sig_atomic_t caught;

static void
on_signal(int signal)
{
	caught = signal;
}

/* What was before. */
struct before {
	struct sigaction actions[SIGNAL_COUNT];
	sigset_t mask;
	struct termios terminal;
};

static void
catch_signals(struct before *before)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t open;

	sigemptyset(&action.sa_mask);
	sigemptyset(&open);
	caught = 0;
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		sigaction(signals[i], NULL, &before->actions[i]);
		/* What nohup(1) ignores stays ignored. */
		if (before->actions[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
		sigaddset(&open, signals[i]);
	}
	sigprocmask(SIG_UNBLOCK, &open, &before->mask);
}

static void
release_signals(const struct before *before)
{
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaction(signals[i], &before->actions[i], NULL);
	sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

/* Writes all, or what a signal lets it. */
static void
show(int fd, struct span bytes)
{
	if (write(fd, bytes.bytes, bytes.len) < 0) {
		/* Then the question is not seen, and can be answered. */
	}
}

/* A line without its end.  The length, or -1: none, too long, or a signal. */
static ssize_t
read_line(int fd, char *passphrase)
{
	size_t len = 0;
	bool is_long = false;
	char c;

	for (;;) {
		ssize_t got = read(fd, &c, 1);

		if (got <= 0)
			return -1;
		if (c == '\n')
			break;
		if (len < CONF_PASSPHRASE_MAX)
			passphrase[len++] = c;
		else
			is_long = true;
	}
	passphrase[len] = '\0';
	return is_long || len == 0 ? -1 : (ssize_t)len;
}

/* Asks once.  The length, or -1. */
static ssize_t
ask(int fd, const char *question, bool is_seen, char *answer)
{
	struct before before;
	struct termios silent;
	ssize_t len = -1;

	catch_signals(&before);
	if (tcgetattr(fd, &before.terminal) == 0) {
		silent = before.terminal;
		if (!is_seen)
			silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
		silent.c_lflag |= ICANON;
		if (tcsetattr(fd, TCSAFLUSH, &silent) == 0) {
			show(fd, span_of(question));
			len = read_line(fd, answer);
			while (tcsetattr(fd, TCSAFLUSH, &before.terminal) < 0 &&
				errno == EINTR && caught != SIGTTOU)
				;
			if (!is_seen || len < 0)
				show(fd, span_of("\n"));
		}
	}
	release_signals(&before);
	return len;
}

/* Until it is answered.  0, -1 if it is not, or -2 without a terminal. */
static int
ask_terminal(const char *question, bool is_seen, char *answer)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	ssize_t len;

	if (fd < 0)
		return -2;
	for (;;) {
		int signal;

		len = ask(fd, question, is_seen, answer);
		signal = caught;
		if (signal == 0)
			break;
		len = -1;
		raise(signal);
		if (signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU)
			break;
	}
	close(fd);
	return len >= 0 ? 0 : -1;
}

int
passphrase_of_terminal(const char *file, char *passphrase, struct fault *fault)
{
	struct text shown = { 0 }, question = { 0 };

	text_harmless(&shown, span_of(file), TEXT_MESSAGE);
	text_appendf(&question, _("Passphrase of %s: "), shown.bytes);
	text_free(&shown);
	int rc = ask_terminal(question.bytes, false, passphrase);
	text_free(&question);
	if (rc == 0)
		return 0;
	return fault_set(fault, FAULT_CONFIG,
		rc == -2 ? "%s: is encrypted, and there is no terminal to ask "
			   "for the passphrase (set passphrase_command in "
			   "qchat.conf)"
			 : _("%s: is encrypted, and no passphrase was given"),
		file);
}

int
passphrase_question(const char *question, bool is_seen, char *answer,
	struct fault *fault)
{
	struct text clean = { 0 };

	text_harmless(&clean, span_of(question), TEXT_MESSAGE);
	int rc = ask_terminal(clean.bytes, is_seen, answer);
	text_free(&clean);
	if (rc == 0)
		return 0;
	return fault_set(fault, FAULT_NOINPUT,
		rc == -2 ? "there is no terminal to ask at: %s"
			 : _("nothing was answered to: %s"),
		question);
}
