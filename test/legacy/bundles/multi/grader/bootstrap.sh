#!/bin/bash
# gym greets on standard error, which aiVLE would take for the result.
python grader.py 2>errors.log
