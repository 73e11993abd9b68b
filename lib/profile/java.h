/*
 * java.h: what the profiles of Java agents share, whatever their samples look like.
 */
#ifndef PF_PROFILE_JAVA_H
#define PF_PROFILE_JAVA_H

#include "profile/builder.h"

/*
 * Reads the table at a Java profile's end, "0xADDRESS function (file:line)",
 * and gives the locations their lines in place of their addresses, which mean
 * nothing outside the process. To be called once, after the last sample;
 * the current line is the first one looked at.
 */
int pf_java_locations(struct pf_builder *b, struct pf_lines *lines, struct pf_error *err);

#endif
