#include "launch.h"

int main(int num_arguments, char **arguments)
{
    launch(num_arguments, arguments);
}
