/*
 * libFuzzer target: any bytes as a mangled name, after "_Z" and "_R" too, and into rooms of several sizes. What comes out
 * is a string that fits, the same in every room that it fits into; what doesn't is left alone.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/demangle.h"
#include "fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The room is the heap's, so that a byte too far is noticed. */
static void
try_room(const char *name, size_t room, const char *expected)
{
	char *out = malloc(room);

	require(out != NULL);
	memset(out, '!', room);
	if (pf_demangle(name, out, room))
		require(memchr(out, 0, room) && expected && strcmp(out, expected) == 0);
	else
		require(out[0] == '!' && (!expected || strlen(expected) + 1 > room));
	free(out);
}

static void
demangle(const char *name)
{
	char out[PF_DEMANGLED_ROOM];
	const char *expected = pf_demangle(name, out, sizeof out) ? out : NULL;

	try_room(name, 1, expected);
	try_room(name, 17, expected);
	if (expected)
		try_room(name, strlen(expected) + 1, expected);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *name = malloc(size + 3);

	require(name != NULL);
	memcpy(name, "_Z", 2);
	memcpy(name + 2, bytes, size);
	name[size + 2] = '\0';
	demangle(name);
	name[1] = 'R';
	demangle(name);
	demangle(name + 2);
	free(name);
	return 0;
}
