/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_TRANSLATE_H
#define QCHAT_TRANSLATE_H

/*
 * Messages for people, in their language (HACKING.md, "Messages").  Functions
 * that take the text of a message, as fault_set() does, translate it
 * themselves: po/extract names them.  Where no such function is, _()
 * translates, and N_() marks what is translated where it is shown.  What
 * programs read is never translated.
 */
#ifdef ENABLE_NLS
#include <libintl.h>
#else
#define gettext(text)               (text)
#define ngettext(one, many, number) ((number) == 1 ? (one) : (many))
#endif

#define _(text)  gettext(text)
#define N_(text) text

/* The translation of a text that was not written here, or not marked: the text
 * itself if there is none.  The empty one would be the catalog's header. */
static inline const char *
translate(const char *text)
{
	return *text != '\0' ? gettext(text) : text;
}

/* Who reads a text: who uses the tool, or others, too, in a room or in a file.
 * These have English, whatever language made it. */
enum audience {
	AUDIENCE_USER,
	AUDIENCE_OTHERS,
};

/* For them: a text, or as ngettext() has it. */
__attribute__((format_arg(2))) static inline const char *
translate_for(enum audience audience, const char *text)
{
	return audience == AUDIENCE_USER ? gettext(text) : text;
}

__attribute__((format_arg(2), format_arg(3))) static inline const char *
translate_counted(enum audience audience, const char *one, const char *many,
	unsigned long number)
{
	if (audience == AUDIENCE_USER)
		return ngettext(one, many, number);
	return number == 1 ? one : many;
}

#endif
