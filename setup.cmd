@echo off
rem Called by run.cmd and test.cmd: makes .venv from requirements.lock, once, and says what it does on stderr.
rem Repeats only when the lock or pyproject.toml changed, or when the last time did not come to its end.
setlocal EnableExtensions DisableDelayedExpansion
set "root=%~dp0"
set "venv=%root%.venv"
rem What .venv was made from; absent until all packages are in.
set "stamp=%venv%\set-up"
rem There while packages are being changed: a start that finds it makes .venv anew.
set "unfinished=%venv%\unfinished"
call :current
if %errorlevel%==0 exit /b 0

rem One start at a time: :make holds a file open, and so shut to others, until it ends, however it ends.
set "tries=0"
:enter
set "entered="
set "code=1"
call :alone 8>&2
if defined entered exit /b %code%
if "%tries%"=="0" echo another start is setting up .venv: waiting for it 1>&2
set /a tries+=1
if %tries% geq 900 goto busy
ping -n 2 127.0.0.1 >nul
goto enter
:busy
echo Another start has been setting up .venv for 15 minutes: end it, then start again. 1>&2
exit /b 1

:alone
rem What Windows says of a file that is shut is not shown; what :make says is.
call :silently 2>nul
exit /b 0

:silently
call :make 9>"%TEMP%\rotation-monitor-set-up.lock" 2>&8
exit /b 0

:current
if not exist "%venv%\Scripts\python.exe" exit /b 1
if exist "%unfinished%" exit /b 1
fc /b "%root%requirements.lock" "%stamp%\requirements.lock" >nul 2>&1
if not %errorlevel%==0 exit /b 1
fc /b "%root%pyproject.toml" "%stamp%\pyproject.toml" >nul 2>&1
if not %errorlevel%==0 exit /b 1
exit /b 0

:make
set "entered=1"
set "code=0"
call :current
if %errorlevel%==0 exit /b 0
set "code=1"
if exist "%unfinished%" goto anew
if not exist "%venv%\Scripts\python.exe" goto anew
"%venv%\Scripts\python.exe" -I -c "import pip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))" >nul 2>&1
if %errorlevel%==0 goto packages
:anew
set "python="
for %%V in (3.13 3.12 3.11) do if not defined python call :try py -%%V
if not defined python call :try python
if not defined python call :try python3
if not defined python goto none
echo making .venv with %python% 1>&2
if exist "%venv%" rmdir /s /q "%venv%"
if exist "%venv%" goto used
mkdir "%unfinished%"
if not exist "%unfinished%" goto shut
%python% -I -m venv "%venv%" 1>&2
if not %errorlevel%==0 goto unmade
:packages
if not exist "%unfinished%" mkdir "%unfinished%"
if not exist "%unfinished%" goto shut
echo installing the packages of requirements.lock into .venv ^(once; about a minute^) 1>&2
set "PIP_USER=0"
"%venv%\Scripts\python.exe" -I -m pip install --quiet --disable-pip-version-check --no-input --retries 2 --no-deps -r "%root%requirements.lock" 1>&2
if not %errorlevel%==0 goto refused
if exist "%stamp%" rmdir /s /q "%stamp%"
mkdir "%stamp%"
copy /y "%root%requirements.lock" "%stamp%\requirements.lock" >nul
copy /y "%root%pyproject.toml" "%stamp%\pyproject.toml" >nul
rmdir "%unfinished%"
set "code=0"
exit /b 0

:try
%* -I -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))" >nul 2>&1
if %errorlevel%==0 set "python=%*"
exit /b 0

:none
echo Python 3.11, 3.12 or 3.13 is needed and was not found. Install one from python.org, then start again. 1>&2
exit /b 1
:used
echo The folder .venv is in use: close the program, then start again. 1>&2
exit /b 1
:shut
echo This folder cannot be written: copy it to where you may write, and start it there. 1>&2
exit /b 1
:unmade
echo .venv could not be made: Python's own message is above. 1>&2
exit /b 1
:refused
rmdir "%unfinished%"
echo The packages could not be installed: pip's own message is above. Close the program if it is open. Check the 1>&2
echo network, the proxy ^(HTTPS_PROXY^) and its certificates ^(PIP_CERT^), then start again. 1>&2
exit /b 1
