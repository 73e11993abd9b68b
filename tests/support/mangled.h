/* mangled.h: what holds of the short names of all schemes: a table's names, and each of them cut off or damaged. */
#ifndef PF_TESTS_MANGLED_H
#define PF_TESTS_MANGLED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"
#include "symbol/demangle.h"

struct mangled_name {
	const char *mangled, *readable; /* NULL: it stays as it is */
};

static inline void
check_short_names(const struct mangled_name *names, size_t count)
{
	char out[PF_DEMANGLED_ROOM];

	for (size_t i = 0; i < count; i++) {
		snprintf(out, sizeof out, "before");
		if (pf_demangle(names[i].mangled, out, sizeof out) != (names[i].readable != NULL))
			fail_msg("%s: %s", names[i].mangled, out);
		if (strcmp(out, names[i].readable ? names[i].readable : "before") != 0)
			fail_msg("%s: %s", names[i].mangled, out);
	}
}

/* The first `size` bytes of a name, from an exact allocation, with each of the letters at `place`. */
static inline void
check_letters(const char *name, size_t size, size_t place, const char *letters)
{
	char out[PF_DEMANGLED_ROOM], *copy = strndup(name, size);

	assert_non_null(copy);
	pf_demangle(copy, out, sizeof out);
	for (; *letters && place < size; letters++) {
		copy[place] = *letters;
		pf_demangle(copy, out, sizeof out);
	}
	free(copy);
}

/* Every part of each name, with other letters at its end, and the whole with others in every place. */
static inline void
check_damaged_names(const struct mangled_name *names, size_t count, const char *letters)
{
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(names[i].mangled);

		check_letters(names[i].mangled, 0, 0, letters);
		for (size_t part = 0; part < size; part++) {
			check_letters(names[i].mangled, part + 1, part, letters);
			check_letters(names[i].mangled, size, part, letters);
		}
	}
}

#endif
