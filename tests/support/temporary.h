/* temporary.h: a folder of a test's own, removed with all that is in it. */
#ifndef TESTS_TEMPORARY_H
#define TESTS_TEMPORARY_H

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "support/unit.h"

/* Makes a folder; its path is good until the next call. */
static inline const char *
temporary_make(void)
{
	static char path[64];
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(path, sizeof path, "%s/profuse-test.XXXXXX", base);
	assert_non_null(mkdtemp(path));
	return path;
}

static inline int
temporary_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void
temporary_remove(const char *path)
{
	nftw(path, temporary_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
