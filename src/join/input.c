/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include "memory.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

enum { HISTORY_MAX = 1000 };

static struct input_calls input_calls;
static unsigned char pending[4096];
static size_t pending_at, pending_len;

/* readline takes its bytes from what input_read() has read. */
static int
next_byte(FILE *stream)
{
	(void)stream;
	return pending_at < pending_len ? pending[pending_at++] : EOF;
}

static void
redisplay(void)
{
	/* The screen is drawn once in each turn, whatever has changed. */
}

static void
on_line(char *line)
{
	if (line != NULL && line[0] != '\0')
		add_history(line);
	input_calls.line(input_calls.context, line);
	free(line);
}

static int
page_up(int count, int key)
{
	(void)key;
	input_calls.scroll(input_calls.context, -count);
	return 0;
}

static int
page_down(int count, int key)
{
	(void)key;
	input_calls.scroll(input_calls.context, count);
	return 0;
}

static int
interrupt(int count, int key)
{
	(void)count;
	(void)key;
	if (rl_end > 0)
		rl_replace_line("", 1);
	else
		input_calls.line(input_calls.context, NULL);
	return 0;
}

static int
suspend(int count, int key)
{
	(void)count;
	(void)key;
	raise(SIGTSTP);
	return 0;
}

void
input_begin(const struct input_calls *calls)
{
	input_calls = *calls;
	rl_readline_name = "qchat-join";
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_change_environment = 0;
	rl_prep_term_function = NULL;
	rl_deprep_term_function = NULL;
	rl_getc_function = next_byte;
	rl_redisplay_function = redisplay;
	rl_initialize();
	/* What is typed is UTF-8, whatever the locale can show. */
	rl_variable_bind("input-meta", "on");
	rl_variable_bind("output-meta", "on");
	rl_variable_bind("convert-meta", "off");
	rl_bind_keyseq("\\e[5~", page_up);
	rl_bind_keyseq("\\e[6~", page_down);
	rl_bind_key('\t', rl_insert); /* no completion of file names */
	rl_bind_key('C' & 0x1f, interrupt);
	rl_bind_key('Z' & 0x1f, suspend);
	stifle_history(HISTORY_MAX);
	rl_callback_handler_install("", on_line);
}

void
input_end(void)
{
	rl_callback_handler_remove();
	clear_history();
}

bool
input_read(void)
{
	ssize_t n = read(STDIN_FILENO, pending, sizeof(pending));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0)
		return false;
	pending_at = 0;
	pending_len = (size_t)n;
	while (pending_at < pending_len)
		rl_callback_read_char();
	return true;
}

const char *
input_line(void)
{
	return rl_line_buffer != NULL ? rl_line_buffer : "";
}

size_t
input_cursor(void)
{
	return rl_point > 0 ? (size_t)rl_point : 0;
}

char *
input_ask(const char *question, const char *default_answer)
{
	char *prompt = default_answer != NULL
		? memory_format("%s [%s]? ", question, default_answer)
		: memory_format("%s? ", question);
	char *answer = readline(prompt);

	free(prompt);
	if (answer != NULL && answer[0] == '\0' && default_answer != NULL) {
		free(answer);
		answer = memory_string(default_answer);
	}
	return answer;
}
