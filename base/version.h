/* version.h - the one place that says which release this is. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H
#define DELTAGATE_VERSION "0.1.0"
#endif
