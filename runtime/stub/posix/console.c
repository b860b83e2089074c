#include "console.h"

#include <stdio.h>

void print_error(const char *text)
{
    fputs(text, stderr);
}
