/* SPDX-License-Identifier: Apache-2.0 */
/* The keyboard, from a terminal's bytes to lines and keys. */
#include "join/input.h"
#include "join/paste.h"
#include "memory.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>

#include <readline/readline.h>

#define BEGIN "\33[200~"
#define END   "\33[201~"

/* readline 8.2 loses some of what it kills in vi's mode.  The sanitizer, which
 * may be a library, has to find this. */
const char *__lsan_default_suppressions(void)
	__attribute__((visibility("default")));

const char *
__lsan_default_suppressions(void)
{
	return "leak:libreadline";
}

static int terminal; /* the other side of standard input */
static int64_t now = 1000;
static struct text out; /* what was told */
static struct input_draft aside;
static bool swaps; /* M-1 puts the draft aside, and what was there back */

static const char *const key_names[] = { "END", "PAGE_UP", "PAGE_DOWN",
	"LINE_UP", "LINE_DOWN", "TOP", "BOTTOM", "NAMES", "CLOCK", "NEXT_ROOM",
	"PREVIOUS_ROOM", "FOCUS_IN", "FOCUS_OUT", "REDRAW", "SUSPEND",
	"SEARCH_NEXT", "SEARCH_PREVIOUS", "SEARCH_END" };

static void
on_line(void *context, struct span line, bool literal)
{
	(void)context;
	text_append_string(&out, literal ? "[literal " : "[");
	text_append(&out, line.bytes, line.len);
	text_append_char(&out, ']');
}

static void
swap(void)
{
	struct input_draft other = { 0 };

	input_take(&other);
	input_put(&aside);
	aside = other;
}

static void
on_key(void *context, enum input_key key)
{
	(void)context;
	if (key >= INPUT_ROOM_1)
		text_appendf(&out, "<ROOM_%d>", key - INPUT_ROOM_1 + 1);
	else
		text_appendf(&out, "<%s>", key_names[key]);
	if (swaps && key == INPUT_ROOM_1)
		swap();
}

static void
on_notice(void *context, const char *text)
{
	(void)context;
	text_appendf(&out, "(%s)", text);
}

/* alice, albert and alf, for what begins with al at the cursor; `call al` for
 * c. */
static bool
complete(void *context, struct span line, size_t cursor, size_t n, size_t *from,
	struct text *candidate)
{
	static const char *const names[] = { "alice", "albert", "alf" };

	(void)context;
	if (n == 0 && cursor > 0 && line.bytes[cursor - 1] == 'c') {
		*from = cursor - 1;
		text_append_string(candidate, "call al");
		return true;
	}
	if (cursor < 2 || memcmp(line.bytes + cursor - 2, "al", 2) != 0 ||
		n >= sizeof(names) / sizeof(*names))
		return false;
	*from = cursor - 2;
	text_append_string(candidate, names[n]);
	return true;
}

static void
open_terminal(void)
{
	struct termios modes;
	int side;

	terminal = posix_openpt(O_RDWR | O_NOCTTY);
	if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0 ||
		(side = open(ptsname(terminal), O_RDWR | O_NOCTTY)) < 0 ||
		tcgetattr(side, &modes) < 0) {
		printf("Bail out! no pseudo-terminal\n");
		exit(1);
	}
	cfmakeraw(&modes);
	tcsetattr(side, TCSANOW, &modes);
	dup2(side, STDIN_FILENO);
	close(side);
	fcntl(terminal, F_SETFL, O_NONBLOCK);
}

static void
begin(void)
{
	const struct input_calls calls = { NULL, on_line, on_key, on_notice,
		complete };

	input_begin(&calls);
}

/* More than the terminal holds goes in parts. */
static void
send(const char *bytes, size_t len)
{
	do {
		ssize_t sent = write(terminal, bytes, len);

		if (sent > 0) {
			bytes += sent;
			len -= (size_t)sent;
		}
		if (!input_read(now))
			ok(false, "the terminal is there");
	} while (len > 0);
}

static void
pass(void)
{
	if (input_deadline() != INT64_MAX)
		now = input_deadline();
	input_tick(now);
}

/* Types, each part in a read of its own; then time passes. */
static void
type(const char *bytes)
{
	send(bytes, strlen(bytes));
	pass();
}

static void
type_slowly(const char *bytes)
{
	for (; *bytes != '\0'; bytes++)
		send(bytes, 1);
	pass();
}

static void
paste(const char *text)
{
	send(BEGIN, strlen(BEGIN));
	send(text, strlen(text));
	type(END);
}

static void
told(const char *want, const char *name)
{
	text_append_string(&out, "");
	is(out.bytes, want, name);
	text_clear(&out);
}

/* The draft, with | where the cursor is. */
static void
draft(const char *want, const char *name)
{
	struct span line = input_line();
	size_t cursor = input_cursor();
	struct text shown = { 0 };

	text_append(&shown, line.bytes, cursor);
	text_append_char(&shown, '|');
	text_append(&shown, line.bytes + cursor, line.len - cursor);
	is(shown.bytes, want, name);
	text_free(&shown);
}

/* Nothing is left of what was before. */
static void
clear(void)
{
	type("\7\3\3");
	text_clear(&out);
}

static void
test_lines(void)
{
	type("hello\r");
	told("[hello]", "Enter gives the line");
	type("one\rtwo\r");
	told("[one][two]", "also two at once");
	type("\r");
	told("[]", "also an empty one");
	type_slowly("gr\xc3\xbc\xc3\x9f"
		    "e \xe6\xbc\xa2");
	draft("gr\xc3\xbc\xc3\x9f"
	      "e \xe6\xbc\xa2|",
		"UTF-8 comes as it is");
	type("\x7f\x7f\x7f\x7f");
	draft("gr\xc3\xbc|", "a character goes whole, whatever the locale");
	type("\x1\x6\x6\x6");
	draft("gr\xc3\xbc|", "the cursor goes by characters");
	clear();
	type("a\xff\xc3"
	     "b\xe2\x82");
	draft("a\xef\xbf\xbd\xef\xbf\xbd"
	      "b\xef\xbf\xbd|",
		"what is no UTF-8 is shown so");
	clear();
	type("one\33\rtwo\33\n");
	draft("one\ntwo\n|", "M-Enter makes a line");
	type("three\r");
	told("[one\ntwo\nthree]", "and Enter sends them");
	type("x\33[13;2uy");
	draft("x\ny|", "S-Enter, of terminals that tell it, too");
	clear();
}

static void
test_keys(void)
{
	type("\33[5~\33[6~\33[1;2A\33[1;3B\33[1;5H\33[1;5F");
	told("<PAGE_UP><PAGE_DOWN><LINE_UP><LINE_DOWN><TOP><BOTTOM>",
		"keys to look back");
	type("\33<\33>\33n\33t\33OQ\33OR");
	told("<TOP><BOTTOM><NAMES><CLOCK><NAMES><CLOCK>", "and what to see");
	type("\33[12~\33[13~\33[[B\33[[C");
	told("<NAMES><CLOCK><NAMES><CLOCK>", "F2 and F3 of others");
	type("\xe\x10\33"
	     "1\33"
	     "9");
	told("<NEXT_ROOM><PREVIOUS_ROOM><ROOM_1><ROOM_9>", "rooms");
	type("\xc\x1a");
	told("<REDRAW><SUSPEND>", "and what the terminal would do");
	type_slowly("\33[5~\33"
		    "4\33OQ");
	told("<PAGE_UP><ROOM_4><NAMES>", "a byte at a time as well");
	draft("|", "nothing of them is text");
	type("a\33[Ib\33[O");
	told("<FOCUS_IN><FOCUS_OUT>", "the focus comes and goes");
	draft("ab|", "while one types");
	clear();
	type("a\33[18~\33[99;9~\33Ox\33[1;9Zb");
	draft("ab|", "unknown keys are not text");
	clear();
	type("one two");
	type("\33");
	type("b");
	draft("one |two", "Esc is Meta for the next key, however late");
	type("\33");
	type("\33[D");
	draft("one| two", "but not for one that has its own");
	type("\33");
	send("\33[I", 3);
	told("<FOCUS_IN>", "nor for the focus");
	type("b\33[1;5C\33[1;5C\33[H\33[3~");
	draft("|ne two", "common keys are known");
	clear();
	type("\x14");
	told("<NAMES>", "~/.inputrc may bind them");
	type("\x18\xd");
	told("[two][lines]", "also to macros of several lines");
}

static void
test_states(void)
{
	type("\x16\3\x16\t\x16\x16");
	draft("\3\t\x16|", "C-v takes the next key as it is");
	clear();
	type_slowly("\x16\33[A");
	draft("\33[A|", "also the start of a sequence");
	clear();
	type("\x16\33[18~");
	draft("\33[18~|", "of one that means nothing, too");
	clear();
	type("\x16");
	type("\xc3\xbc\xc3\xa4");
	draft("\xc3\xbc\xc3\xa4|", "and characters");
	clear();
	type("needle\rhay\r");
	text_clear(&out);
	type("draft\x12nee");
	is(input_prompt(),
		"(reverse-i-search)`nee': ", "a search shows its prompt");
	draft("|needle", "and what it found");
	type("\r");
	told("[needle]", "Enter takes it");
	ok(input_prompt() == NULL, "the prompt goes");
	type("draft\x12nee\7");
	draft("draft|", "C-g goes back");
	type("\x12nee");
	paste("-paste");
	draft("draft-paste|", "a paste does not get lost in it");
	clear();
	type("\x12nee\33");
	draft("|needle", "Esc ends it");
	clear();
	type("\x12nee\33[Dx");
	draft("x|needle", "so does a sequence");
	clear();
	type("\x12nee\x18w");
	draft("|needle", "and a key that begins one");
	clear();
	type("a b c\33-");
	is(input_prompt(), "(arg: -1) ", "an argument shows");
	type("\33"
	     "f");
	draft("a b |c", "and works");
	clear();
}

static void
test_leaving(void)
{
	type("text\3");
	draft("|", "C-c clears the line");
	told("", "and no more");
	type("\3");
	told("<END>", "then it is the end");
	type("text\1\4");
	draft("|ext", "C-d deletes");
	type("\4\4\4\4");
	told("<END>", "then it is the end");
	type("more\r");
	told("[more]", "which need not be");
}

static void
test_history(void)
{
	type("first\rsecond\rsecond\r");
	text_clear(&out);
	type("draft\33[A\33[A");
	draft("first|", "the arrows go through the history");
	type("\33[B\33OB");
	draft("draft|", "and back to the draft");
	clear();
	type("draft\33[A\3\33[A\33[B");
	draft("|", "a line that was cleared does not come back");
	clear();
	type("aa\33\rbb\33\rcc\33[D\33[A");
	draft("aa\nb|b\ncc", "within several lines they move the cursor");
	type("\33[A\33[A");
	draft("second|", "then they leave it");
	type("\33[B\33[B");
	draft("aa\nbb\ncc|", "and come back");
	clear();
	type("\xc3\xbc\xc3\xbc\33\rx\33\r\xc3\xa4\xc3\xb6\33[A\33[A");
	draft("\xc3\xbc|\xc3\xbc\nx\n\xc3\xa4\xc3\xb6", "by characters");
	clear();
}

static void
test_pastes(void)
{
	paste("\\q");
	told("", "a paste does not leave by itself");
	draft("\\q|", "it goes into the draft");
	type("\r");
	told("[literal \\q]", "and is no command");
	send(BEGIN "\\q\r" END "\\q\r", 18);
	type(END);
	told("", "nor is what follows its end");
	draft("\\q\n\\q\n|", "which belongs to it");
	type("\r");
	told("[literal \\q\n\\q\n]", "all is said as it is");
	type("\\d bob ");
	paste("see\nthis");
	type("\r");
	told("[\\d bob see\nthis]", "a command may have a pasted argument");
	type("ab\2");
	paste("-x-");
	draft("a-x-|b", "a paste goes where the cursor is");
	clear();
}

/* What was pasted stays so, and what was typed too. */
static void
test_origin(void)
{
	type("x");
	paste("\\q");
	type("\1\4\r");
	told("[literal \\q]", "what is first when a letter went was pasted");
	paste("\\q");
	type("\1\\\r");
	told("[\\\\q]", "what is typed before it was not");
	paste("\\q");
	type("\x15\x19\r");
	told("[literal \\q]", "killed and yanked");
	paste("\\q");
	type("\x15\x1f\r");
	told("[literal \\q]", "killed and not");
	paste("\\q");
	type("\33[A\33[A\33[B\33[B\r");
	told("[literal \\q]", "left and come back to");
	paste("\\q");
	type("\x12zz\7\r");
	told("[literal \\q]", "and after a search in vain");
	type("\\d ");
	paste("bob");
	type("\x15\x19\r");
	told("[\\d bob]", "a command that was killed is one");
	paste("\\secret");
	type("\33[A\r");
	told("[\\d bob]", "and one of the history");
	paste("\\d bob");
	type("\33[A\r");
	told("[\\d bob]", "even if it is the same");
	paste("\\");
	type("\x12"
	     "d bo\r");
	told("[\\d bob]", "and one that was found there");
	paste("\\q");
	type("\r\33[A");
	draft("\\\\q|", "the history has what one would type");
	type("\r");
	told("[literal \\q][\\\\q]", "to say the same");
	paste("\\q");
	type("\x15\\q\r");
	told("[\\q]", "the next is its own");
	paste("\\");
	type("\x7f\\q\r");
	told("[\\q]", "in each letter");
	paste("\\q");
	type("\x15");
	paste("said");
	type("\r\x19\r");
	told("[literal said][literal \\q]", "what was killed is remembered");
}

static void
test_question(void)
{
	paste("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
	ok(input_question() == NULL, "ten lines are not asked about");
	clear();
	type("see: ");
	paste("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11");
	is(input_question(),
		"y takes 11 lines, 23 bytes into the draft, "
		"n drops what was pasted",
		"eleven are");
	type("\r\33[A\xexq\33[I");
	told("<FOCUS_IN>", "meanwhile nothing is done");
	draft("see: |", "and the draft is as it was");
	type("y");
	ok(input_question() == NULL, "y ends it");
	draft("see: 1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11|", "and takes them");
	clear();
	for (const char *no = "nN\33\3\7"; *no != '\0'; no++) {
		char answer[2] = { *no, '\0' };

		paste("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11");
		type(answer);
		ok(input_question() == NULL, "%d ends it", *no);
		draft("|", "and drops them");
	}
	told("", "and no more");
	paste("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n");
	paste("and more");
	draft("|", "y is to be typed");
	type("y");
	draft("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\nand more|",
		"a second paste joins it");
	clear();
}

static void
test_large(void)
{
	struct text text = { 0 };

	memset(text_extend(&text, 4097), 'x', 4097);
	paste(text.bytes);
	is(input_question(),
		"y takes 1 line, 4,097 bytes into the draft, "
		"n drops what was pasted",
		"many bytes are asked about");
	memset(text_extend(&text, 300000), 'x', 300000);
	paste(text.bytes);
	told("(a paste of 304,097 bytes was dropped: a message has 262,144 at "
	     "most)",
		"no more than fits waits for the answer");
	memset(text_extend(&aside.text, 260000), 'x', 260000);
	input_put(&aside);
	type("y");
	told("(a paste of 4,097 bytes was dropped: a message has 262,144 at "
	     "most)",
		"nor what does not fit any more");
	clear();
	paste(text.bytes);
	told("(a paste of 304,097 bytes was dropped: a message has 262,144 at "
	     "most)",
		"too many are refused");
	ok(input_question() == NULL, "and not asked about");
	type("ab");
	text.bytes[INPUT_LINE_MAX - 2] = '\0';
	paste(text.bytes);
	type("y");
	ok(input_line().len == INPUT_LINE_MAX, "a draft may be that long");
	type("c\33\rd");
	ok(input_line().len == INPUT_LINE_MAX, "and no longer");
	type("\x15\x19");
	told("", "it can be moved");
	type("\x19");
	ok(input_line().len == INPUT_LINE_MAX, "but not be doubled");
	told("(a message has 262144 bytes at most: what came was dropped)",
		"which is told");
	paste("y");
	told("(a paste of 1 bytes was dropped: a message has 262,144 at most)",
		"nor is more pasted");
	clear();
	text_free(&text);
	send(BEGIN "a\rb\0c" END, 17);
	pass();
	told("(a paste was dropped: its line 2 has a NUL, and a message has "
	     "none)",
		"a NUL is refused");
	paste("a\xffz");
	told("(a paste was dropped: its line 1 is not UTF-8)",
		"and what is no text");
	draft("|", "nothing of them is taken");
	paste("\33[31m\7");
	draft("\33[31m\7|", "control characters are");
	clear();
}

static void
test_complete(void)
{
	type("hi al\t");
	draft("hi alice|", "Tab completes");
	type("\t\t");
	draft("hi alf|", "and goes on");
	type("\t");
	draft("hi al|", "to what was typed");
	type("\t\t\33[Z");
	draft("hi alice|", "and back");
	type("\33[Z");
	draft("hi al|", "to what was typed");
	type("\33[Z");
	draft("hi alf|", "and the last");
	type("!\t");
	draft("hi alf!|", "another key ends it");
	clear();
	type("al x\1\6\6\t\t, ");
	draft("albert, | x", "also before other text");
	clear();
	type("al\t\x1f");
	draft("al|", "it is undone at once");
	clear();
	type("al\t");
	paste(" al");
	type("\t");
	draft("alice alice|", "a paste ends it");
	clear();
	type("c\t");
	draft("call al|", "where there is only one, it comes");
	type("\t");
	draft("call alice|", "and the next key begins anew");
	clear();
	type("\t\33[Zb\t");
	draft("b|", "where there is nothing, nothing comes");
	clear();
}

static void
test_search(void)
{
	input_search(true);
	type("nNn");
	told("<SEARCH_NEXT><SEARCH_PREVIOUS><SEARCH_NEXT>",
		"n and N are keys of a search");
	type("\33[5~");
	told("<PAGE_UP>", "others stay what they are");
	type("\33");
	told("<SEARCH_END>", "Esc ends it");
	type("no\r");
	told("[no]", "then they are letters");
	input_search(true);
	type("an\r");
	told("<SEARCH_END>[an]", "so does what is typed");
	type("a");
	input_search(true);
	type("n\r");
	told("<SEARCH_END>[an]", "there are none in a draft");
	input_search(true);
	paste("n");
	type("n\r");
	told("<SEARCH_END>[literal nn]", "or pasted");
	input_search(true);
	type("\3n\3");
	told("<SEARCH_END>", "and C-c ends no more than that");
}

static void
test_drafts(void)
{
	swaps = true;
	type("one\2\33"
	     "1");
	draft("|", "a draft is put aside");
	paste("\\q");
	type("\33"
	     "1");
	draft("on|e", "and back, with its cursor");
	type("\33[A\33"
	     "1");
	draft("\\q|", "the other as well");
	type("\33[A\33[B\33[B");
	paste("\\p");
	type("\33"
	     "1");
	type("\33"
	     "1");
	type("\x7f\x7f\r");
	draft("|", "which leaves nothing behind");
	told("<ROOM_1><ROOM_1><ROOM_1><ROOM_1><ROOM_1>[literal \\q]",
		"and what was pasted");
	type("\33"
	     "1");
	text_clear(&out);
	type("!\r");
	told("[nn!]", "a line of the history is a draft");
	type("\33[A\33[A\33[A");
	draft("nn|", "and stays as it was there");
	clear();
	type("x\x12");
	type("\33"
	     "1");
	type("\33"
	     "1");
	clear();
	type("\33"
	     "1");
	clear();
	swaps = false;
}

static void
test_bounds(void)
{
	struct text text = { 0 };

	memset(text_extend(&text, 200000), 'x', 200000);
	for (int i = 0; i < 8; i++) {
		text.bytes[0] = (char)('a' + i);
		paste(text.bytes);
		type("y\r");
	}
	text_clear(&out);
	for (int i = 0; i < 8; i++)
		type("\33[A");
	ok(input_line().bytes[0] == 'd', "the history has so many bytes");
	clear();
	text_free(&text);
}

static void
vi(const char *mode)
{
	rl_variable_bind("editing-mode", mode);
}

static void
test_vi(void)
{
	vi("vi");
	type("hello");
	send("\33", 1);
	ok(input_deadline() == now + PASTE_KEY_MS, "Esc waits in vi's mode");
	pass();
	type("x");
	draft("hel|l", "then there are commands");
	type("\33");
	type("\33");
	type("x");
	draft("he|l", "Esc does nothing there");
	type("3");
	type("\33");
	type("x");
	draft("h|e", "but end a number");
	type("\33h");
	draft("|he", "also in one read with the next");
	type("l");
	type("\33");
	type("1");
	type("\33");
	type("\r");
	told("[he]", "Esc is no Meta there");
	type("he\33");
	pass();
	type("d");
	type("\33");
	type("x");
	draft("|h", "or what waits for a motion");
	type("a i\33h\33i!");
	draft("h!| i", "it may be in one read with other keys");
	type_slowly("\33[D\33[D*");
	draft("*|h! i", "a sequence in many reads is a key");
	type_slowly("\33"
		    "b\33[C\33[C\33[5~");
	told("<PAGE_UP>", "in both modes");
	type("\3");
	draft("|", "C-c clears");
	type("i\r");
	told("[i]", "and text comes next");
	type("\xe\x10\33"
	     "2\33OQ\33[5~");
	told("<NEXT_ROOM><PREVIOUS_ROOM><ROOM_2><NAMES><PAGE_UP>",
		"keys are the same");
	type("a\33\rb\r");
	told("[a\nb]", "and M-Enter");
	type("x");
	type("\33");
	paste("yz");
	draft("yz|x", "a paste goes where the cursor is");
	type("\3rx");
	type("\33"
	     "r");
	type("\xc3\xbc");
	draft("r|\xc3\xbc", "a character may replace another");
	type("\3");
	type("n\33");
	type("/need\r");
	draft("|needle", "a search leaves at Enter, and sends nothing");
	type("\3\\d bob\r");
	paste("\\");
	type("\33");
	type("/d bo\r");
	draft("\\|d bob", "what is found");
	type("\r");
	told("[\\d bob][\\d bob]", "was typed");
	text_clear(&out);
	type("\33");
	type("S\xc3\xbc\33");
	pass();
	type("dz.fx\3");
	draft("|", "no command is without an end");
	text_clear(&out);
	vi("emacs");
}

/* The tick is late, and bytes wait since before it. */
static void
test_late(void)
{
	send(BEGIN "a" END, 13);
	ok(write(terminal, "\\q\r" END, 9) == 9, "more of a paste waits");
	now += 1000;
	input_tick(now);
	draft("|", "until it was read");
	input_read(now);
	pass();
	draft("a\\q\n|", "to belong to the paste");
	told("", "and not be keys");
	clear();
}

static void
test_end(void)
{
	type("draft");
	close(terminal);
	ok(!input_read(now), "a terminal that is gone is an end");
	draft("draft|", "the draft stays");
}

static void
write_inputrc(char *path)
{
	static const char lines[] = "set bell-style none\n"
				    "set convert-meta on\n"
				    "set blink-matching-paren on\n"
				    "$if qchat-join\n"
				    "\"\\C-t\": qchat-names\n"
				    "$endif\n"
				    "\"\\C-x\\C-m\": \"two\\C-mlines\\C-m\"\n";
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, lines, strlen(lines)) < 0)
		printf("Bail out! %s\n", path);
	close(fd);
	setenv("INPUTRC", path, 1);
	setenv("LC_ALL", "C", 1); /* what readline sets by itself */
}

int
main(void)
{
	const char *tmp = getenv("TMPDIR");
	char *path = memory_format("%s/qchat-inputrc.XXXXXX",
		tmp != NULL && *tmp != '\0' ? tmp : "/tmp");

	setvbuf(stdout, NULL, _IOLBF, 0);
	write_inputrc(path);
	open_terminal();
	begin();
	unlink(path);
	test_lines();
	test_keys();
	test_states();
	test_leaving();
	test_history();
	test_pastes();
	test_origin();
	test_question();
	test_large();
	test_complete();
	test_search();
	test_drafts();
	test_vi();
	test_bounds();
	test_late();
	test_end();
	input_end();
	input_draft_free(&aside);
	text_free(&out);
	free(path);
	return done();
}
