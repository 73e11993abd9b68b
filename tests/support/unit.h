/* unit.h: what every cmocka program includes, in the order cmocka asks for. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/error.h"

/* A sentence that must be part of an error's message. */
#define assert_message_has(ERR, PART)                                                  \
	do {                                                                           \
		if (!strstr((ERR).message, (PART)))                                    \
			fail_msg("\"%s\" does not say \"%s\"", (ERR).message, (PART)); \
	} while (0)

#endif
