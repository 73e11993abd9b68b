/*
 * linked.c: a program that has the agent inside; agent_link.sh builds it in several ways.
 *
 *	-DCALL  calls the API; -DBOTH also uses libprofuse, whose symbols the agent's copies of
 *	core/ must not meet; -DOPEN loads the library whose path is the second argument.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <profuse/agent.h>
#include <profuse/error.h>

#include "tests/agent/burn.h"

int
main(int argc, char **argv)
{
	int rc = 0;

#ifdef CALL
	rc = profuse_agent_start();
	rc = rc ? rc : profuse_agent_start(); /* a second time changes nothing */
#endif
#ifdef BOTH
	printf("libprofuse %s\n", pf_version());
#endif
#ifdef OPEN
	rc = argc < 3 || !dlopen(argv[2], RTLD_NOW);
#endif
	burn_on(argc > 1 ? strtod(argv[1], NULL) : 1);
#ifdef CALL
	profuse_agent_stop();
	profuse_agent_stop();
	rc = rc ? rc : profuse_agent_start();
	profuse_agent_stop();
#endif
	return rc ? 1 : 0;
}
