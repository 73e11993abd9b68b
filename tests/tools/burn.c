/*
 * burn.c: spends a fixed amount of CPU work and memory, for tests of bench.
 *
 *	burn MILLIONS [--child|--daemon|--memory MIB|--fail STATUS]
 *
 * MILLIONS of rounds of arithmetic, in this process, in a child that is waited
 * for, or in a grandchild that leaves its session and is waited for by nobody.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile unsigned long sink;
static char *held; /* so that a leak checker sees it */

static void
burn(double millions)
{
	for (double i = 0; i < millions * 1e6; i++)
		sink = sink * 31 + 7;
}

int
main(int argc, char **argv)
{
	double millions = argc > 1 ? strtod(argv[1], NULL) : 1;
	const char *how = argc > 2 ? argv[2] : "";

	if (strcmp(how, "--memory") == 0 && argc > 3) {
		size_t size = strtoul(argv[3], NULL, 10) << 20;
		char *block = malloc(size);
		if (block)
			memset(block, 1, size);
		held = block;
	}
	if (strcmp(how, "--fail") == 0 && argc > 3) {
		fputs("first line\nburn was told to fail\n", stderr);
		return (int)strtol(argv[3], NULL, 10);
	}
	if (strcmp(how, "--child") == 0) {
		if (fork() > 0)
			return wait(NULL) < 0;
	} else if (strcmp(how, "--daemon") == 0) {
		if (fork() > 0)
			return 0;
		setsid();
		if (fork() > 0)
			return 0;
	}
	burn(millions);
	puts("burnt");
	return 0;
}
