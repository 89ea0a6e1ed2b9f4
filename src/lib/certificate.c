/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#include "calendar.h"
#include "memory.h"

#include <string.h>

char *
certificate_name(const X509 *certificate)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	unsigned char *utf8 = NULL;
	char *name = NULL;
	int last = -1, at = -1;

	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >=
		0)
		last = at;
	if (last < 0)
		return NULL;
	int len = ASN1_STRING_to_UTF8(&utf8,
		X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
	if (len > 0 && memchr(utf8, '\0', (size_t)len) == NULL)
		name = memory_copy(utf8, (size_t)len);
	OPENSSL_free(utf8);
	return name;
}

void
certificate_digest(const X509 *certificate,
	unsigned char digest[static CERTIFICATE_DIGEST_BYTES])
{
	if (X509_digest(certificate, EVP_sha256(), digest, NULL) != 1)
		memory_out();
}

void
certificate_hex(char *hex, const unsigned char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*hex++ = digits[bytes[i] >> 4];
		*hex++ = digits[bytes[i] & 15];
	}
	*hex = '\0';
}

int64_t
certificate_time(const ASN1_TIME *time)
{
	struct tm parts;

	if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1)
		return -1;
	return calendar_seconds(&parts) * 1000;
}
