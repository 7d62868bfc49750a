/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver.h: a program that does with a provider what a test tells it, line by line, and says what came of it
 * in lines of JSON. Each provider has one: it makes the provider, the rest is driver.c.
 */
#ifndef SYSTEM_DRIVER_H
#define SYSTEM_DRIVER_H

#include <openfeature/openfeature.h>
#include <openfeature/static.h>

/* The words after the program's name; NAME=VALUE among them. NULL where it is not there. */
const char *driver_option(const char *name);
unsigned driver_number(const char *name, unsigned otherwise);

/* Made by the provider's own file: the provider, or NULL with a reason in problem. */
of_provider *driver_make(char *problem, size_t size);
/* Figures as an object, or NULL. */
of_value *driver_stats(of_provider *provider);

#endif
