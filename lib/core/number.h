/* number.h: numbers as people write them in options and configurations. */
#ifndef PF_CORE_NUMBER_H
#define PF_CORE_NUMBER_H

#include <stdbool.h>

/*
 * A finite decimal number not below zero at the start of text, in the process's
 * locale; *rest is what follows it, such as a unit. False: there is none, and
 * *value and *rest say nothing.
 */
bool pf_number_prefix(const char *text, double *value, const char **rest);

#endif
