/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
is_program(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 && S_ISREG(about.st_mode) &&
		access(path, X_OK) == 0;
}

bool
program_is_found(const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/') != NULL || path == NULL)
		return is_program(name);
	while (*path != '\0') {
		size_t len = strcspn(path, ":");
		char *file = memory_format("%.*s/%s", len > 0 ? (int)len : 1,
			len > 0 ? path : ".", name);
		bool found = is_program(file);

		free(file);
		if (found)
			return true;
		path += len + (path[len] == ':' ? 1 : 0);
	}
	return false;
}
