/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_CONF_INI_H
#define QCHAT_CONF_INI_H

/* What the reader and the writer of a dxlclient.config share.  Both cut the
 * text in place and return where the rest of it begins. */

/* Without the white space around it. */
char *conf_ini_trim(char *text);

/* Without white space and comment, or what stands between quotes.  A quote
 * that nothing closes stands for itself. */
char *conf_ini_clean(char *text);

/* Without a comment behind it. */
void conf_ini_cut_comment(char *text);

#endif
