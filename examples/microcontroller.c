/* What runs on the device: read the sensor, compare with the forecast, forecast the next value.
   microcontroller.py writes sensor.h; both lines to type are there. */
#include <stdio.h>
#include <time.h>

#include "sensor.h"

#ifndef NUMBER
#define NUMBER float
#endif

/* The sensor: a vibration, to which a bearing adds another from step 90,000 on. */
static NUMBER read_sensor(int t)
{
    return (NUMBER)(sin(0.2 * t) * sin(0.0311 * t) + (t < 90000 ? 0.0 : 0.3 * sin(1.7 * t)));
}

int main(void)
{
    static sensor_state state; /* static: a stack may be small */
    NUMBER value[SENSOR_INPUTS], forecast[SENSOR_OUTPUTS] = {0};
    int alarm = 0, steps = 100000;

    sensor_reset(&state);
    for (int t = 0; t < steps; t++) {
        value[0] = read_sensor(t);
        if (t > 100 && !alarm && fabs((double)(value[0] - forecast[0])) > 0.2)
            alarm = t;
        if (sensor_step(value, forecast, &state))
            sensor_reset(&state);
    }
    clock_t start = clock();
    for (int t = 0; t < steps; t++)
        sensor_step(value, forecast, &state);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("alarm at step %d; %.2f microseconds per step; %zu bytes of state\n", alarm, 1e6 * seconds / steps, sizeof state);
    return 0;
}
